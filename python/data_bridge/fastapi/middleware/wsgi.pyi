from data_bridge.middleware.wsgi import *
