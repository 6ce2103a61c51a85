from data_bridge.security.api_key import *
