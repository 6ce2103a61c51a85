from data_bridge.dependencies.models import *
