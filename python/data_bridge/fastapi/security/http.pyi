from data_bridge.security.http import *
