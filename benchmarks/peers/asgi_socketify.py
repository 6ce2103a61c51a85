"""The bare ASGI application on socketify, uWebSockets behind cffi."""

from benchmarks.driver.peer import PYTHON_SCENARIOS, Launch, Peer


def command(launch: Launch) -> list[str]:
    """One process."""
    flags = ["--host", "127.0.0.1", "--interface", "asgi"]
    return [launch.python, "-m", "socketify", f"{launch.app}:app", "--port", str(launch.port), *flags]


PEER = Peer(
    name="asgi_socketify",
    title="raw ASGI on socketify",
    command=command,
    scenarios=PYTHON_SCENARIOS | {"echo"},
    app="raw_asgi",
    modules=("socketify",),
)
