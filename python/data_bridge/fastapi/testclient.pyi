from data_bridge.testclient import *
