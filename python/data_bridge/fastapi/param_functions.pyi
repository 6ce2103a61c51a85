from data_bridge.param_functions import *
