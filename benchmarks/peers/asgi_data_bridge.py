"""The bare ASGI application on data_bridge."""

from benchmarks.driver.peer import PYTHON_SCENARIOS, Launch, Peer


def command(launch: Launch) -> list[str]:
    """One process, no access log."""
    flags = ["--host", "127.0.0.1", "--no-access-log", "--log-level", "warning"]
    return [str(launch.bin / "data-bridge"), "run", f"{launch.app}:app", "--port", str(launch.port), *flags]


PEER = Peer(
    name="asgi_data_bridge",
    title="raw ASGI on data_bridge",
    command=command,
    scenarios=PYTHON_SCENARIOS | {"echo"},
    app="raw_asgi",
    modules=("data_bridge._native",),
)
