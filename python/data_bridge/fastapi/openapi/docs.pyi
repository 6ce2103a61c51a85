from data_bridge.openapi.docs import *
