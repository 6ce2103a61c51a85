from data_bridge.concurrency import *
