"""Answers while another thread of the server wants the interpreter. Knows the two cases, not the servers.

beside a CPU-bound thread: pure Python burns for ever; one connection asks every 7 ms; nothing is pinned
while the GIL is held: a thread sleeps 2 s in C without giving the GIL back; the path asked needs no Python
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.driver.latency import pace, percentile
from benchmarks.driver.machine import pin
from benchmarks.driver.peer import Peer, probe_path
from benchmarks.driver.process import Server, StartError
from benchmarks.driver.progress import Progress, say
from benchmarks.scenarios import SCENARIOS

Record = dict[str, Any]
Measure = Callable[[Peer, str, Path, float], Record]
BESIDE = (
    ("native_data_bridge", "native"),
    ("app_data_bridge", "native"),
    ("app_data_bridge", "json"),
    ("asgi_data_bridge", "json"),
    ("asgi_uvicorn", "json"),
    ("asgi_granian", "json"),
)
HELD = (("app_data_bridge", "native"), ("native_data_bridge", "native"))


def run(peers: dict[str, Peer], *, seconds: float, progress: Progress) -> dict[str, Record]:
    """Both cases by `peer/scenario`, latencies in milliseconds."""
    results: dict[str, Record] = {"beside": {}, "held": {}}
    for kind, cases, measure in (("beside", BESIDE, _beside), ("held", HELD, _held)):
        for name, scenario in cases:
            if name in peers:
                results[kind][f"{name}/{scenario}"] = _safely(peers[name], scenario, measure, seconds)
            progress.step(f"{kind} {name}/{scenario}")
    return results


def _safely(peer: Peer, scenario: str, measure: Measure, seconds: float) -> Record:
    if reason := peer.absent():
        return {"absent": reason}
    pin(None)
    try:
        with TemporaryDirectory(prefix="bench-") as scratch:
            return measure(peer, SCENARIOS[scenario].path, Path(scratch), seconds)
    except (StartError, OSError) as reason:
        say(f"{peer.name}/{scenario} is absent: {reason}")
        return {"absent": str(reason)}


def _beside(peer: Peer, path: str, scratch: Path, seconds: float) -> Record:
    with peer.start(scratch, core=None, env={"BENCH_BURN": "1"}) as server:
        server.wait_ready(probe_path(peer))
        pace(server.port, path, seconds=0.3)
        samples = [sample.seconds * 1e3 for sample in pace(server.port, path, seconds=seconds)]
        return {"title": peer.title, **_spread(samples)}


def _held(peer: Peer, path: str, scratch: Path, _seconds: float) -> Record:
    with peer.start(scratch, core=None, env={"BENCH_HOLD": str(scratch)}) as server:
        server.wait_ready(probe_path(peer))
        pace(server.port, path, seconds=0.2)
        (scratch / "hold").touch()
        samples = pace(server.port, path, seconds=2.2)
        window = _window(server, scratch / "held")
        inside = [s.seconds * 1e3 for s in samples if window["from"] + 0.05 < s.sent < window["to"] - 0.05]
        if not inside:
            raise StartError("no request was answered while the GIL was held")
        return {"title": peer.title, "held_s": window["to"] - window["from"], **_spread(inside)}


def _window(server: Server, report: Path, timeout: float = 5.0) -> dict[str, float]:
    deadline = time.monotonic() + timeout
    while not report.exists():
        if time.monotonic() > deadline or not server.alive():
            raise StartError(f"the GIL was never held: {server.last_line()}")
        time.sleep(0.01)
    window: dict[str, float] = json.loads(report.read_text())
    return window


def _spread(milliseconds: list[float]) -> Record:
    return {
        "samples": len(milliseconds),
        "p50_ms": percentile(milliseconds, 0.5),
        "p99_ms": percentile(milliseconds, 0.99),
        "max_ms": max(milliseconds),
    }
