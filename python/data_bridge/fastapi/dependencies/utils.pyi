from data_bridge.dependencies import *
