from data_bridge.sse import *
