from data_bridge.middleware.cors import *
