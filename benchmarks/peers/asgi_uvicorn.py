"""The bare ASGI application on uvicorn with uvloop and httptools."""

from benchmarks.driver.peer import PYTHON_SCENARIOS, Peer
from benchmarks.peers.fastapi_uvicorn import command

PEER = Peer(
    name="asgi_uvicorn",
    title="raw ASGI on uvicorn",
    command=command,
    scenarios=PYTHON_SCENARIOS | {"echo"},
    app="raw_asgi",
    modules=("uvicorn", "uvloop", "httptools"),
)
