from data_bridge.openapi.utils import *
