from data_bridge.background import *
