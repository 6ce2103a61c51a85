from data_bridge.dependencies.utils import *
