from data_bridge.openapi.constants import *
