"""Latency at half of what a server can do: 64 connections, each of which pauses between its requests.

The pace is set by the one server's saturation rate; the other is asked at the same pace, whether it keeps up or not.
"""

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.driver import wrk
from benchmarks.driver.peer import Peer, probe_path
from benchmarks.driver.process import Server, StartError
from benchmarks.driver.progress import Progress, say
from benchmarks.scenarios import SCENARIOS

Record = dict[str, Any]
SCENARIO = SCENARIOS["json"]
PACED = ("fastapi_data_bridge", "app_data_bridge")
BESIDE = "fastapi_uvicorn"


def run(
    peers: dict[str, Peer], *, seconds: float, server_core: int, generator_core: int, progress: Progress
) -> dict[str, Record]:
    """For each paced server its saturation rate, and what it and the other answered at half of that."""
    results: dict[str, Record] = {}
    for name in PACED:
        if name in peers and BESIDE in peers:
            try:
                results[name] = _pair(peers[name], peers[BESIDE], seconds, server_core, generator_core)
            except (StartError, wrk.LoadError, OSError) as reason:
                say(f"half of {name} is absent: {reason}")
                results[name] = {"absent": str(reason)}
        progress.step(f"half of {name}")
    return results


def _pair(paced: Peer, beside: Peer, seconds: float, server_core: int, generator_core: int) -> Record:
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        servers = {}
        for peer in (paced, beside):
            server = stack.enter_context(peer.start(scratch, core=server_core))
            server.wait_ready(probe_path(peer))
            wrk.load(SCENARIO, server.port, seconds=1, core=generator_core)
            servers[peer.name] = server
        most = wrk.load(SCENARIO, servers[paced.name].port, seconds=seconds, core=generator_core).rps
        interval = SCENARIO.connections / (most / 2)
        found = {name: _paced(server, interval, seconds, generator_core) for name, server in servers.items()}
        return {"title": paced.title, "saturation": most, **found}


def _paced(server: Server, interval: float, seconds: float, core: int) -> Record:
    """Asks so that each connection's requests are `interval` seconds apart, as far as the answers let it."""
    pause = interval
    for _ in range(3):  # the pause is what an answer leaves of the interval
        report = wrk.load(SCENARIO, server.port, seconds=1, core=core, pause=pause)
        pause = max(pause + interval - SCENARIO.connections / report.rps, 0.0)
    report = wrk.load(SCENARIO, server.port, seconds=seconds, core=core, pause=pause)
    return {"rps": report.rps, "p50_ms": report.p50_us / 1e3, "p99_ms": report.p99_us / 1e3, "failed": report.failed}
