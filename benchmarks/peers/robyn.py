"""Robyn, a Rust server with an API of its own: one process with one worker."""

from benchmarks.driver.peer import PYTHON_SCENARIOS, Launch, Peer


def command(launch: Launch) -> list[str]:
    """The app as a program; it takes its port from the environment."""
    flags = ["--processes", "1", "--workers", "1", "--log-level", "ERROR", "--disable-openapi"]
    return ["env", f"ROBYN_PORT={launch.port}", launch.python, f"{launch.app}.py", *flags]


PEER = Peer(
    name="robyn",
    title="Robyn",
    command=command,
    # Its dependencies are values that are the same for every request.
    scenarios=PYTHON_SCENARIOS | {"models", "sync"},
    app="robyn_app",
    modules=("robyn",),
)
