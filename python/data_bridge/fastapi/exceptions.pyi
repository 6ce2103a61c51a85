from data_bridge.exceptions import *
