from data_bridge.templating import *
