from data_bridge.params import *
