"""One scenario against all its peers, interleaved: A B C A B C … Knows the method (one order of things), not the peers.

All servers of a scenario live at once on the same core; while one is loaded, the others sleep.
"""

import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from benchmarks.driver import strace, wrk
from benchmarks.driver.check import UnequalError, check
from benchmarks.driver.closed_loop import ClosedLoop
from benchmarks.driver.peer import Peer, probe_path
from benchmarks.driver.process import Server, StartError
from benchmarks.driver.progress import Progress, say
from benchmarks.scenarios import Scenario

Record = dict[str, Any]


@dataclass(frozen=True)
class Method:
    """How figures are taken."""

    repeats: int = 9
    seconds: float = 2.0
    server_core: int | None = 0  # None: any
    generator_core: int = 1
    syscalls: bool = True

    def warm_up(self) -> float:
        """Seconds of load before the first figure."""
        return 1.0


class Loaded(Protocol):
    """What came back of a load."""

    @property
    def requests(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    def as_json(self) -> dict[str, object]: ...


class Client(Protocol):
    """How servers are asked: until there is an answer, once to compare it, and for a while."""

    def wait_ready(self, server: Server, path: str) -> object: ...
    def check(self, scenario: Scenario, server: Server) -> None: ...
    def load(self, scenario: Scenario, port: int, *, seconds: float, core: int | None) -> Loaded: ...


class Http1:
    """By wrk, over HTTP/1.1."""

    wait_ready = staticmethod(Server.wait_ready)
    check = staticmethod(check)
    load = staticmethod(wrk.load)


HTTP1 = Http1()


@dataclass
class Entry:
    """One live server of a scenario and what was found about it."""

    peer: Peer
    server: Server
    client: Client
    record: Record
    repetitions: list[Record]


def run(
    scenario: Scenario,
    peers: Sequence[Peer],
    method: Method,
    progress: Progress,
    client: Client = HTTP1,
    own_clients: Mapping[str, Client] | None = None,
) -> dict[str, Record]:
    """The scenario's results by peer; a peer that cannot take part has `absent` and the reason.

    A peer in `own_clients` is asked by its own one.
    """
    results: dict[str, Record] = {}
    own = own_clients or {}
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        entries = []
        for peer in peers:
            try:
                entries.append(_enter(peer, own.get(peer.name, client), scenario, method, scratch, stack))
                results[peer.name] = entries[-1].record
            except (StartError, UnequalError, wrk.LoadError, OSError) as reason:
                say(f"{scenario.name}: {peer.name} is absent: {reason}")
                results[peer.name] = {"absent": str(reason)}
        for number in range(method.repeats):
            for entry in list(entries):
                try:
                    entry.repetitions.append(_measure(entry, scenario, method))
                except wrk.LoadError as reason:
                    say(f"{scenario.name}: {entry.peer.name} did not last: {reason}")
                    results[entry.peer.name] = {"absent": f"did not last: {reason}"}
                    entries.remove(entry)
                progress.step(f"{scenario.name} {number + 1}/{method.repeats} {entry.peer.name}")
        for entry in entries:
            _finish(entry, scenario, method)
    return results


def _enter(peer: Peer, client: Client, scenario: Scenario, method: Method, scratch: Path, stack: ExitStack) -> Entry:
    if reason := peer.absent():
        raise StartError(reason)
    server = stack.enter_context(peer.start(scratch, core=method.server_core, env=scenario.env))
    client.wait_ready(server, probe_path(peer))
    client.check(scenario, server)
    idle = server.rss()
    client.load(scenario, server.port, seconds=method.warm_up(), core=method.generator_core)
    repetitions: list[Record] = []
    record: Record = {"title": peer.title, "rss_idle": idle, "repetitions": repetitions}
    return Entry(peer, server, client, record, repetitions)


def _measure(entry: Entry, scenario: Scenario, method: Method) -> Record:
    server = entry.server
    before, printed = server.usage(), server.printed()
    report = entry.client.load(scenario, server.port, seconds=method.seconds, core=method.generator_core)
    used = server.usage().since(before)
    requests = max(report.requests, 1)
    return {
        **report.as_json(),
        "cpu_us": used.cpu / requests * 1e6,
        "busy": used.cpu / report.seconds,
        "switches": used.switches / requests,
        "threads": used.busy_threads(),
        "printed": (server.printed() - printed) / requests,
    }


def _finish(entry: Entry, scenario: Scenario, method: Method) -> None:
    """What is read after the load: memory, system calls, whether the answer is still the same."""
    record, server = entry.record, entry.server
    record["rss_after"] = server.rss()
    record["median"] = medians(entry.repetitions)
    record["failed"] = sum(sum(repetition["errors"].values()) for repetition in entry.repetitions)
    try:
        entry.client.check(scenario, server)
    except (UnequalError, wrk.LoadError) as reason:
        record["unequal_after_load"] = str(reason)
    if method.syscalls:
        try:
            with ClosedLoop(scenario, server.port) as load:
                record["syscalls"] = strace.syscalls_per_request(server, lambda: load.run(1.0))
        except (strace.TraceError, OSError) as reason:
            record["syscalls_absent"] = str(reason)


def medians(repetitions: list[Record]) -> dict[str, float]:
    """The median of every number that all repetitions have."""
    numbers = [name for name, value in repetitions[0].items() if isinstance(value, int | float)]
    return {name: statistics.median(float(run[name]) for run in repetitions) for name in numbers}
