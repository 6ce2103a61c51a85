from data_bridge.middleware.httpsredirect import *
