from data_bridge.telemetry import *
