from data_bridge.middleware.gzip import *
