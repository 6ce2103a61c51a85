"""django-bolt's own API on its own server: one process with one worker thread, as it is under the GIL."""

from benchmarks.driver.peer import PYTHON_SCENARIOS, Launch, Peer


def command(launch: Launch) -> list[str]:
    """`manage.py runbolt`, without the manage.py."""
    flags = ["--host", "127.0.0.1", "--port", str(launch.port), "--processes", "1", "--backlog", "4096"]
    django = [launch.python, "-m", "django", "runbolt", *flags]
    return ["env", "DJANGO_SETTINGS_MODULE=bolt_settings", *django]


PEER = Peer(
    name="django_bolt",
    title="django-bolt",
    command=command,
    scenarios=PYTHON_SCENARIOS | {"models", "dependencies", "inline"},
    app="bolt_app",
    modules=("django_bolt",),
)
