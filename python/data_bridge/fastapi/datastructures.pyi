from data_bridge.datastructures import *
