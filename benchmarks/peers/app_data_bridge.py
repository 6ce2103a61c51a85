"""Our own `data_bridge.App` with the same endpoints."""

from benchmarks.driver.peer import PYTHON_SCENARIOS, Peer
from benchmarks.peers.asgi_data_bridge import command

PEER = Peer(
    name="app_data_bridge",
    title="data_bridge.App",
    command=command,
    scenarios=PYTHON_SCENARIOS
    | {"models", "dependencies", "layers", "sync", "inline", "native", "routes-10", "routes-10000"},
    app="own_app",
    minimal="own_minimal",
    modules=("data_bridge._native",),
)
