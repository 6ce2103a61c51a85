from data_bridge.types import *
