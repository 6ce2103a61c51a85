from data_bridge.routing import *
