"""The genuine FastAPI application on data_bridge, unchanged."""

from benchmarks.driver.peer import PYTHON_SCENARIOS, Peer
from benchmarks.peers.asgi_data_bridge import command

PEER = Peer(
    name="fastapi_data_bridge",
    title="FastAPI on data_bridge",
    command=command,
    scenarios=PYTHON_SCENARIOS | {"models", "sync", "dependencies", "layers", "routes-10", "routes-10000"},
    app="fastapi_app",
    minimal="fastapi_minimal",
    modules=("data_bridge._native", "fastapi"),
)
