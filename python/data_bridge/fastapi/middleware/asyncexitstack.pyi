from data_bridge.middleware.exit_stack import *
