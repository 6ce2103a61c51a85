from data_bridge.security.authorization import *
