"""System calls per request, in a short run of its own: strace slows the server too much to time anything beside it."""

import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.driver.process import Server


class TraceError(Exception):
    """strace could not attach; the message is what it printed."""


def syscalls_per_request(server: Server, load: Callable[[], int]) -> dict[str, float]:
    """Calls per request by name, most frequent first, over the server's whole process tree.

    `load` runs while the tree is traced and returns the number of requests.
    """
    with tempfile.NamedTemporaryFile("r") as summary:
        pids = server.tree()
        attach = [argument for pid in pids for argument in ("-p", str(pid))]
        command = ["strace", "-c", "-f", "-U", "calls,name", "-o", summary.name, *attach]
        tracer = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        try:
            _wait_attached(tracer, pids)
            requests = load()
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.communicate(timeout=30)
        calls = parse(summary.read())
    return {name: round(count / max(requests, 1), 3) for name, count in calls.items()}


def parse(summary: str) -> dict[str, int]:
    """`strace -c -U calls,name`: name → calls, without the total line."""
    rows = re.findall(r"^\s*(\d+)\s+([a-z]\w*)\s*$", summary, re.MULTILINE)
    calls = {name: int(count) for count, name in rows if name != "total"}
    return dict(sorted(calls.items(), key=lambda item: -item[1]))


def _wait_attached(tracer: "subprocess.Popen[str]", pids: list[int], timeout: float = 10) -> None:
    deadline = time.monotonic() + timeout
    tasks = [task for pid in pids for task in (Path("/proc") / str(pid) / "task").iterdir()]
    while not all("TracerPid:\t0\n" not in (task / "status").read_text() for task in tasks):
        if tracer.poll() is not None or time.monotonic() > deadline:
            printed = tracer.stderr.read() if tracer.stderr and tracer.poll() is not None else ""
            raise TraceError(printed.strip()[-300:] or "strace did not attach in time")
        time.sleep(0.01)
