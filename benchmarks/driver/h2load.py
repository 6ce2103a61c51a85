"""h2load, the load generator for HTTP/2 in clear text by prior knowledge: starts it on its core, reads its report.

It keeps so many requests under way on each connection, and says how many bytes of bodies came, not which.
"""

import re
import subprocess
import time
from dataclasses import dataclass

from benchmarks.driver.check import UnequalError
from benchmarks.driver.machine import pin
from benchmarks.driver.process import Server, StartError
from benchmarks.driver.wrk import LoadError
from benchmarks.scenarios import Scenario

FINISHED = re.compile(r"^finished in [^,]+, ([\d.]+) req/s", re.MULTILINE)
REQUESTS = re.compile(r"^requests: .* (\d+) done, \d+ succeeded, (\d+) failed, ", re.MULTILINE)
BODIES = re.compile(r"\((\d+)\) data$", re.MULTILINE)


@dataclass(frozen=True)
class Report:
    """One run as h2load saw it."""

    requests: int
    rps: float
    data: int  # bytes of bodies, also of answers that were not whole at the end
    errors: dict[str, int]

    @property
    def seconds(self) -> float:
        """How long the run took."""
        return self.requests / self.rps

    def as_json(self) -> dict[str, object]:
        """The report for the results file."""
        return {"requests": self.requests, "seconds": self.seconds, "rps": self.rps, "errors": self.errors}


@dataclass(frozen=True)
class Multiplexed:
    """The client of a campaign: `connections` with `streams` requests under way on each."""

    connections: int
    streams: int

    def wait_ready(self, server: Server, path: str, timeout: float = 20.0) -> None:
        """Asks until there is an answer: a server of HTTP/2 alone answers no other question."""
        end = time.monotonic() + timeout
        while time.monotonic() < end and server.alive():
            try:
                _run(server.port, path, "-n1", core=None, timeout=timeout)
            except LoadError:
                time.sleep(0.05)
            else:
                return
        raise StartError(server.last_line())

    def check(self, scenario: Scenario, server: Server) -> None:
        """Asks once: the status and the length of the body are all that h2load tells of an answer."""
        report = _run(server.port, scenario.path, "-n1", core=None, timeout=10)
        if report.errors["status"] or report.data != len(scenario.expected):
            raise UnequalError(f"{scenario.path} answered with {report.data} bytes over HTTP/2: {report.errors}")

    def load(self, scenario: Scenario, port: int, *, seconds: float, core: int | None = 1) -> Report:
        """Asks for that long (whole seconds) and says what came back."""
        shape = (f"-c{self.connections}", f"-m{self.streams}", f"-D{max(round(seconds), 1)}")
        return _run(port, scenario.path, *shape, core=core, timeout=seconds + 60)


def parse(output: str) -> Report:
    """The report among h2load's other output; one without an answer is an error."""
    finished, requests, bodies = FINISHED.search(output), REQUESTS.search(output), BODIES.search(output)
    if not (finished and requests and bodies):
        raise LoadError(output.strip()[-500:] or "h2load printed nothing")
    done, failed = map(int, requests.groups())
    if not done or not float(finished[1]):
        raise LoadError(f"h2load got no answer: {requests[0]}")
    return Report(done, float(finished[1]), int(bodies[1]), {"status": failed})


def _run(port: int, path: str, *flags: str, core: int | None, timeout: float) -> Report:
    command = ["h2load", *flags, f"http://127.0.0.1:{port}{path}"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, check=False, preexec_fn=lambda: pin(core)
        )
    except subprocess.TimeoutExpired as expired:
        raise LoadError(f"h2load did not end within {timeout:.0f} s") from expired
    return parse(done.stdout + done.stderr)
