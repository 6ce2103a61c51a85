"""The bare ASGI application on granian, a Rust server that hands requests to Python from its own threads."""

from benchmarks.driver.peer import PYTHON_SCENARIOS, Launch, Peer

#: It serves at most 1,024 connections by default, and lets the others wait without an answer.
CONNECTIONS = "8192"


def command(launch: Launch) -> list[str]:
    """One worker on uvloop, no access log, room for the connections of every scenario."""
    flags = ["--interface", "asgi", "--workers", "1", "--loop", "uvloop", "--log-level", "warning", "--no-access-log"]
    flags += ["--backlog", CONNECTIONS, "--backpressure", CONNECTIONS]
    return [str(launch.bin / "granian"), f"{launch.app}:app", "--port", str(launch.port), *flags]


PEER = Peer(
    name="asgi_granian",
    title="raw ASGI on granian",
    command=command,
    scenarios=PYTHON_SCENARIOS | {"echo"},
    app="raw_asgi",
    modules=("granian", "uvloop"),
)
