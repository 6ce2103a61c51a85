from data_bridge.staticfiles import *
