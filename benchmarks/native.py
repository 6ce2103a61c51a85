"""A handler of a user's module beside one of the tree: CPU and instructions a request, by turns in one run.

`make bench-native` (Linux, wrk, perf) builds the server and runs this; its argument is the server's program.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import urllib.request
from pathlib import Path

ROUNDS, SECONDS, CONNECTIONS = 9, 2, 64
PATHS = ("/tree/7", "/module/7")
#: What the issue allows.
LIMIT = 1.1


def cpu(process: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def one(process: int, url: str) -> tuple[float, float]:
    """Ask for a while; give µs of CPU and instructions in user space, a request."""
    before = cpu(process)
    perf = ["perf", "stat", "-x,", "-e", "instructions:u", "-p", str(process), "--"]
    wrk = ["taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", url]
    done = subprocess.run([*perf, *wrk], capture_output=True, text=True, check=True)
    used = cpu(process) - before
    requests = int(re.search(r"(\d+) requests in", done.stdout)[1])
    counted = re.search(r"(\d+),,instructions", done.stderr)
    return used / requests * 1e6, int(counted[1]) / requests if counted else float("nan")


def main() -> int:
    """Print the medians; fail where the limit is not held."""
    command = ["taskset", "-c", "0", sys.argv[1]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            url = f"http://{server.stdout.readline().strip()}"
            bodies = {path: urllib.request.urlopen(url + path).read() for path in PATHS}
            assert len(set(bodies.values())) == 1, bodies
            rounds = [[one(server.pid, url + path) for path in PATHS] for _ in range(ROUNDS)]
        finally:
            server.terminate()
    for index, path in enumerate(PATHS):
        used = statistics.median(each[index][0] for each in rounds)
        counted = statistics.median(each[index][1] for each in rounds)
        print(f"{path:<12}{used:6.2f} µs CPU {counted:8.0f} instructions a request")
    ratio = statistics.median(module[0] / tree[0] for tree, module in rounds)
    counts = statistics.median(module[1] / tree[1] for tree, module in rounds)
    print(f"module/tree: {ratio:.3f} of the CPU (at most {LIMIT}), {counts:.3f} of the instructions")
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
