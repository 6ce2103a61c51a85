from data_bridge.security.open_id_connect_url import *
