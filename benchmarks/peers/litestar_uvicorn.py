"""Litestar on uvicorn with uvloop and httptools."""

from benchmarks.driver.peer import PYTHON_SCENARIOS, Peer
from benchmarks.peers.fastapi_uvicorn import command

PEER = Peer(
    name="litestar_uvicorn",
    title="Litestar on uvicorn",
    command=command,
    scenarios=PYTHON_SCENARIOS | {"models", "dependencies", "sync", "inline"},
    app="litestar_app",
    modules=("litestar", "uvicorn", "uvloop", "httptools"),
)
