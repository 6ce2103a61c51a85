"""What an application costs without load: cold start, base memory, CPU while idle. Knows nothing of scenarios."""

import os
import statistics
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.driver import environment
from benchmarks.driver.machine import pin
from benchmarks.driver.peer import Peer, probe_path
from benchmarks.driver.process import StartError
from benchmarks.driver.progress import Progress, say

Record = dict[str, Any]
REFERENCE = "import asyncio, pydantic"


def run(peers: Iterable[Peer], *, repeats: int, core: int, idle_seconds: float, progress: Progress) -> Record:
    """Cold start (ms to the first answer; the reference is a Python that only imports), memory and idle CPU by peer."""
    results: Record = {}
    starts: dict[str, list[float]] = {"reference": []}
    with TemporaryDirectory(prefix="bench-") as folder:
        scratch = Path(folder)
        able = []
        for peer in peers:
            found = _settle(peer, scratch, core, idle_seconds)
            results[peer.name] = found
            if "absent" not in found:
                able.append(peer)
        _import_reference(core)
        for number in range(repeats):
            starts["reference"].append(_import_reference(core) * 1e3)
            for peer in able:
                starts.setdefault(peer.name, []).append(_cold_start(peer, scratch, core) * 1e3)
            progress.step(f"cold start {number + 1}/{repeats}")
    for peer in able:
        results[peer.name] |= _summary(starts[peer.name])
    results["reference"] = {"title": f'python -c "{REFERENCE}"', **_summary(starts["reference"])}
    return results


def _settle(peer: Peer, scratch: Path, core: int, idle_seconds: float) -> Record:
    """Memory after the first answer, then the share of a core that the idle server uses. Warms the byte code too."""
    if reason := peer.absent():
        return {"absent": reason}
    try:
        with peer.start(scratch, core=core, app=peer.minimal) as server:
            server.wait_ready(probe_path(peer))
            time.sleep(0.5)  # let start-up work end: the idle figure is about the state after it
            before = server.usage()
            time.sleep(idle_seconds)
            used = server.usage().since(before)
            return {
                "title": peer.title,
                "rss": server.rss(),
                "idle_cpu": used.cpu / idle_seconds,
                "idle_wakeups": used.switches / idle_seconds,
            }
    except StartError as reason:
        say(f"start-up: {peer.name} is absent: {reason}")
        return {"absent": str(reason)}


def _cold_start(peer: Peer, scratch: Path, core: int) -> float:
    with peer.start(scratch, core=core, app=peer.minimal) as server:
        return server.wait_ready(probe_path(peer))


def _import_reference(core: int) -> float:
    start = time.perf_counter()
    subprocess.run([str(environment.PYTHON), "-c", REFERENCE], check=True, env=os.environ, preexec_fn=lambda: pin(core))
    return time.perf_counter() - start


def _summary(values: list[float]) -> Record:
    return {"cold_start_ms": statistics.median(values), "cold_starts_ms": [round(value, 2) for value in values]}
