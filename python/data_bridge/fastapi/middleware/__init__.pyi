from data_bridge.middleware import *
