from data_bridge.encoders import *
