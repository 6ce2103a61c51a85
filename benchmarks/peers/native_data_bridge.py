"""Constant native routes of data_bridge: what nginx's `return` is compared with."""

from benchmarks.driver.peer import Peer
from benchmarks.peers.asgi_data_bridge import command

PEER = Peer(
    name="native_data_bridge",
    title="native routes of data_bridge",
    command=command,
    scenarios=frozenset({"plaintext", "json", "native", "many"}),
    app="own_native",
    modules=("data_bridge._native",),
)
