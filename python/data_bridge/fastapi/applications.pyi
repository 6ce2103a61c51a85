from data_bridge.app import *
