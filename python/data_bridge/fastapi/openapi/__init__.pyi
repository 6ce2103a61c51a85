from data_bridge.openapi import *
