"""Handlers of a user's module: beside one of the tree, and beside the same route in Python, in CPU a request, by turns;
and how long they take to answer while another thread of the server holds the interpreter's lock.

`make bench-native` (Linux, wrk) builds what this needs; the argument is the program of `benchmarks/native`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.request import urlopen

from benchmarks.driver.latency import pace, percentile

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS, SECONDS, CONNECTIONS = 9, 2, 64
APPS = Path(__file__).parent / "apps"
#: What is allowed: of the tree's CPU, of FastAPI's, and the slowest answer in milliseconds while the lock is held.
TREE, FASTAPI, HELD = 1.1, 1 / 8, 5.0
OPTIONS = ("--port", "{port}", "--factory", "--app-dir", str(APPS), "--no-access-log")
SERVERS = {
    "fastapi": ("uvicorn", "hot_route:fastapi", *OPTIONS),
    "python": ("data_bridge", "run", "hot_route:ours", *OPTIONS),
    "native": ("data_bridge", "run", "hot_route:native", *OPTIONS),
}


def cpu(process: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def one(process: int, url: str) -> float:
    """Ask for a while; give µs of CPU a request."""
    before = cpu(process)
    command = ["taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in said, said
    return (cpu(process) - before) / int(re.findall(r"(\d+) requests in", said)[0]) * 1e6


def compare(places: dict[str, tuple[int, str]]) -> dict[str, float]:
    """Give the median of each, measured by turns; all answer alike."""
    bodies = {name: urlopen(url).read().replace(b" ", b"") for name, (_, url) in places.items()}
    assert len(set(bodies.values())) == 1, bodies
    rounds = [{name: one(*place) for name, place in places.items()} for _ in range(ROUNDS)]
    medians = {name: statistics.median(each[name] for each in rounds) for name in places}
    for name, used in medians.items():
        print(f"{name:<10}{used:8.2f} µs of CPU a request")
    return medians


def held() -> float:
    """Give the slowest answer in milliseconds while the lock is held for 2 s and no Python work is due."""
    with TemporaryDirectory(prefix="bench-") as folder:
        scratch = Path(folder)
        with running(SERVERS["native"], core="0-1", BENCH_HOLD=folder) as (_, url):
            port, path = int(url.split(":")[2].split("/")[0]), "/rows/5000"
            pace(port, path, seconds=0.2)
            (scratch / "hold").touch()
            samples = pace(port, path, seconds=2.2)
            while not (scratch / "held").exists():
                time.sleep(0.01)
            window = json.loads((scratch / "held").read_text(encoding="ascii"))
    took = [each.seconds * 1e3 for each in samples if window["from"] + 0.05 < each.sent < window["to"] - 0.05]
    shown = ", ".join(f"{name} {percentile(took, share):.2f}" for name, share in (("p50", 0.5), ("p99", 0.99)))
    load = os.getloadavg()[0]
    slowest = f"slowest {max(took):.2f} ms (at most {HELD})"
    print(f"while the lock is held: {len(took)} answers, {shown}, {slowest}; load {load:.1f}")
    return max(took)


@contextlib.contextmanager
def running(command: tuple[str, ...], core: str = "0", **env: str) -> Iterator[tuple[int, str]]:
    """Run one of `SERVERS` until it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = ["taskset", "-c", core, sys.executable, "-m", *(part.format(port=port) for part in command)]
    silent = subprocess.DEVNULL
    with subprocess.Popen(line, stdout=silent, stderr=silent, env=os.environ | env) as server:
        try:
            end = time.monotonic() + 60
            while socket.socket().connect_ex(("127.0.0.1", port)):
                assert time.monotonic() < end, f"{command} does not listen"
                time.sleep(0.1)
            yield server.pid, f"http://127.0.0.1:{port}/rows/5000"
        finally:
            server.terminate()


def main() -> int:
    """Print the medians; fail where a limit is not held."""
    with subprocess.Popen(["taskset", "-c", "0", sys.argv[1]], stdout=subprocess.PIPE, text=True) as server:
        try:
            url = f"http://{server.stdout.readline().strip()}"
            both = compare({name: (server.pid, f"{url}/{name}/7") for name in ("tree", "module")})
        finally:
            server.terminate()
    with contextlib.ExitStack() as stack:
        route = compare({name: stack.enter_context(running(command)) for name, command in SERVERS.items()})
    ratio, share = both["module"] / both["tree"], route["native"] / route["fastapi"]
    print(f"module/tree {ratio:.3f} (at most {TREE}), native/FastAPI {share:.3f} (at most {FASTAPI})")
    print(f"native/Python {route['native'] / route['python']:.3f}")
    slowest = held()
    return int(ratio > TREE or share > FASTAPI or slowest > HELD)


if __name__ == "__main__":
    sys.exit(main())
