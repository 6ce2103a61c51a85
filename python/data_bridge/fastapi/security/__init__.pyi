from data_bridge.security import *
