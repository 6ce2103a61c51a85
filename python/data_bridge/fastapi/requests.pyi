from data_bridge.requests import *
