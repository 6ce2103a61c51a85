"""BlackSheep on uvicorn with uvloop and httptools."""

from benchmarks.driver.peer import PYTHON_SCENARIOS, Peer
from benchmarks.peers.fastapi_uvicorn import command

PEER = Peer(
    name="blacksheep_uvicorn",
    title="BlackSheep on uvicorn",
    command=command,
    # It calls `def` handlers on the loop, and injects services by type, not values of the request by function.
    scenarios=PYTHON_SCENARIOS | {"models", "inline"},
    app="blacksheep_app",
    modules=("blacksheep", "orjson", "uvicorn", "uvloop", "httptools"),
)
