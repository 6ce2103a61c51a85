from data_bridge.openapi.models import *
