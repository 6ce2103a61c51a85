from data_bridge.websockets import *
