from data_bridge.utils import *
