from data_bridge.exception_handlers import *
