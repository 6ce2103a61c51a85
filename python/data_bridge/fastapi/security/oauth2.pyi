from data_bridge.security.oauth2 import *
