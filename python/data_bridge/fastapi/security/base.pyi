from data_bridge.security.base import *
