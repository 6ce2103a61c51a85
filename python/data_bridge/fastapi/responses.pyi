from data_bridge.responses import *
