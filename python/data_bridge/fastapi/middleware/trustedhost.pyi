from data_bridge.middleware.trustedhost import *
