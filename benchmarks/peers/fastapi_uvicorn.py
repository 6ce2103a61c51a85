"""FastAPI on uvicorn with uvloop and httptools: what most Python teams run."""

from benchmarks.driver.peer import PYTHON_SCENARIOS, Launch, Peer


def command(launch: Launch) -> list[str]:
    """One process, no access log."""
    flags = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    return [launch.python, "-m", "uvicorn", f"{launch.app}:app", "--port", str(launch.port), *flags]


PEER = Peer(
    name="fastapi_uvicorn",
    title="FastAPI on uvicorn",
    command=command,
    scenarios=PYTHON_SCENARIOS | {"models", "sync", "dependencies", "layers", "routes-10", "routes-10000"},
    app="fastapi_app",
    minimal="fastapi_minimal",
    modules=("fastapi", "uvicorn", "uvloop", "httptools"),
)
