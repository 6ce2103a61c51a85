"""socketify, uWebSockets behind cffi with an API of its own."""

from benchmarks.driver.peer import PYTHON_SCENARIOS, Launch, Peer


def command(launch: Launch) -> list[str]:
    """The app as a program."""
    return [launch.python, f"{launch.app}.py", str(launch.port)]


PEER = Peer(
    name="socketify",
    title="socketify",
    command=command,
    # It has neither validation nor dependencies.
    scenarios=PYTHON_SCENARIOS - {"post"} | {"models", "inline"},
    app="socketify_app",
    modules=("socketify",),
)
