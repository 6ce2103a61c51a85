"""wrk, the load generator: starts it on its core, reads its report. Knows nothing of servers.

wrk waits for an answer before it sends the next request on a connection, so its percentiles are those of a closed loop.
"""

import json
import os
import resource
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.driver.machine import pin
from benchmarks.scenarios import Scenario

SCRIPT = Path(__file__).with_name("report.lua")
MARK = "REPORT "


class LoadError(Exception):
    """wrk failed; the message is what it printed."""


@dataclass(frozen=True)
class Report:
    """One run as wrk saw it."""

    requests: int
    bytes: int
    seconds: float
    mean_us: float
    p50_us: float
    p99_us: float
    p999_us: float
    max_us: float
    errors: dict[str, int]

    @property
    def rps(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    @property
    def failed(self) -> int:
        """Socket errors, time-outs and answers of 400 and above."""
        return sum(self.errors.values())

    @property
    def at_once(self) -> float:
        """Requests under way at a time, on average (Little's law): fewer than connections where some get no answers."""
        return self.rps * self.mean_us / 1e6

    def as_json(self) -> dict[str, object]:
        """The report with its rate, for the results file."""
        return {**asdict(self), "rps": round(self.rps, 1), "at_once": round(self.at_once, 1)}


def load(
    scenario: Scenario,
    port: int,
    *,
    seconds: float,
    core: int | None = 1,
    pause: float | None = None,
    scheme: str = "http",
) -> Report:
    """Runs the scenario against a port for that long (whole seconds) and says what came back.

    With a `pause`, each connection waits about so many seconds between an answer and its next request.
    """
    headers = [part for name, value in scenario.headers.items() for part in ("-H", f"{name}: {value}")]
    url = f"{scheme}://127.0.0.1:{port}{scenario.path}"
    command = [
        "wrk",
        "-t1",
        f"-c{scenario.connections}",
        f"-d{max(round(seconds), 1)}s",
        "-s",
        str(SCRIPT),
        *headers,
        url,
    ]
    env = {**os.environ, "BENCH_METHOD": scenario.method}
    if pause is not None:
        env["BENCH_PAUSE_MS"] = str(pause * 1e3)
    with tempfile.NamedTemporaryFile() as body:
        if scenario.body:
            body.write(scenario.body)
            body.flush()
            env |= {"BENCH_BODY": body.name, "BENCH_CONTENT_TYPE": scenario.sends}
        done = subprocess.run(
            command,
            env=env,
            capture_output=True,
            text=True,
            timeout=seconds + 60,
            check=False,
            preexec_fn=lambda: _place(core, scenario.connections),
        )
    return parse(done.stdout + done.stderr)


def parse(output: str) -> Report:
    """The report among wrk's other output."""
    for line in output.splitlines():
        if line.startswith(MARK):
            return Report(**json.loads(line[len(MARK) :]))
    raise LoadError(output.strip()[-500:] or "wrk printed nothing")


def raise_file_limit(wanted: int) -> None:
    """Room for that many sockets; the servers inherit it. What the hard limit forbids is refused in words."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and wanted > hard:
        raise LoadError(f"{wanted} open files are needed, the hard limit is {hard}: raise it with `ulimit -Hn` as root")
    if soft != resource.RLIM_INFINITY and wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _place(core: int | None, connections: int) -> None:
    pin(core)
    raise_file_limit(connections + 100)
