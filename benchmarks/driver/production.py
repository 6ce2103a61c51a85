"""What a server costs as it is run in production: HTTP/2, WSGI, workers, an access log, metrics. Knows no figures.

Each group is a scenario of its own with entries of its own; they live at once and are loaded in turn, as all others.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.driver import campaign, wrk
from benchmarks.driver.campaign import HTTP1, Client, Http1, Method
from benchmarks.driver.h2load import Multiplexed
from benchmarks.driver.peer import Launch, Peer
from benchmarks.driver.progress import Progress, say
from benchmarks.peers import app_data_bridge, asgi_data_bridge, asgi_granian
from benchmarks.scenarios import SCENARIOS, Scenario

Record = dict[str, Any]
THREADS = "16"
#: A line of an access log has at least the client, the request and the status.
LINE = len('127.0.0.1 "GET /json HTTP/1.1" 200')


@dataclass(frozen=True)
class Group:
    """Entries that are held against each other; all but workers share the server's core."""

    title: str
    scenario: str
    peers: tuple[Peer, ...]
    client: Client = HTTP1
    #: Of entries that are asked in another way than the group.
    clients: Mapping[str, Client] = field(default_factory=dict)
    pinned: bool = True


class Halved(Http1):
    """Half of the connections: what one of two workers has to do."""

    def load(self, scenario: Scenario, port: int, *, seconds: float, core: int | None) -> wrk.Report:
        """What came back."""
        fewer = replace(scenario, connections=scenario.connections // 2)
        return wrk.load(fewer, port, seconds=seconds, core=core)


def with_flags(peer: Peer, name: str, title: str, *flags: str, tool: str = "") -> Peer:
    """The peer under another name, with more flags; the last of two that disagree counts."""
    return replace(peer, name=name, title=title, tool=tool, command=lambda launch: [*peer.command(launch), *flags])


def gunicorn(launch: Launch) -> list[str]:
    """One worker of threads, no access log."""
    flags = ["--worker-class", "gthread", "--workers", "1", "--threads", THREADS, "--log-level", "warning"]
    return [str(launch.bin / "gunicorn"), f"{launch.app}:app", "--bind", f"127.0.0.1:{launch.port}", *flags]


APP = app_data_bridge.PEER
FLASK = Peer(
    name="flask_data_bridge",
    title="Flask on data_bridge",
    command=lambda launch: [*asgi_data_bridge.command(launch), "--interface", "wsgi", "--threads", THREADS],
    scenarios=frozenset({"plaintext"}),
    app="flask_app",
    modules=("data_bridge._native", "flask"),
)
GUNICORN = replace(
    FLASK, name="flask_gunicorn", title="Flask on gunicorn", command=gunicorn, modules=("gunicorn", "flask")
)
HTTP2 = (
    with_flags(asgi_data_bridge.PEER, "asgi_data_bridge", "raw ASGI on data_bridge", "--http2", tool="h2load"),
    with_flags(asgi_granian.PEER, "asgi_granian", "raw ASGI on granian", "--http", "2", tool="h2load"),
)
LOGGED = with_flags(APP, "access_log", "`App` with its access log in a file", "--access-log", "--log-level", "info")

GROUPS = {
    "http2-1": Group("HTTP/2, 1 connection of 64 streams", "plaintext", HTTP2, Multiplexed(1, 64)),
    "http2-8": Group("HTTP/2, 8 connections of 8 streams", "plaintext", HTTP2, Multiplexed(8, 8)),
    "wsgi": Group(f"WSGI, {THREADS} threads", "plaintext", (FLASK, GUNICORN)),
    "workers": Group(
        "JSON, any core",
        "json",
        (
            with_flags(APP, "one", "`App`, one process"),
            with_flags(APP, "two", "`App`, two workers", "--workers", "2"),
            # The control: the fewer connections a process has, the fewer requests share one wake-up.
            with_flags(APP, "half", "`App`, one process, half of the connections"),
        ),
        clients={"half": Halved()},
        pinned=False,
    ),
    "watched": Group(
        "JSON, watched",
        "json",
        (
            with_flags(APP, "off", "`App` with neither"),
            # The control: what two equal entries differ by cannot be told from what another one costs.
            with_flags(APP, "again", "`App` with neither, once more"),
            LOGGED,
            with_flags(APP, "metrics", "`App` with metrics", "--metrics", "--metrics-port", "0"),
        ),
    ),
}
STEPS = sum(len(group.peers) for group in GROUPS.values())


def run(method: Method, progress: Progress) -> dict[str, dict[str, Record]]:
    """The records of each group by entry; an entry that cannot take part has `absent` and the reason."""
    found = {}
    for name, group in GROUPS.items():
        own = replace(method, syscalls=False, server_core=method.server_core if group.pinned else None)
        found[name] = campaign.run(SCENARIOS[group.scenario], group.peers, own, progress, group.client, group.clients)
    found["watched"][LOGGED.name] = only_if_logged(found["watched"][LOGGED.name])
    return found


def only_if_logged(record: Record) -> Record:
    """The record, unless the server wrote less than its lines: a log that is lost costs nothing, and says nothing."""
    if "absent" in record or record["median"]["printed"] >= LINE:
        return record
    reason = f"its access log has {record['median']['printed']:.1f} bytes a request"
    say(f"{LOGGED.name} is absent: {reason}")
    return {"absent": reason}
