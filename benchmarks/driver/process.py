"""One server process: start on a core, readiness, what its whole process tree used, stop. Knows nothing of load.

CPU time comes from each process's own clock (`clock_gettime`, nanoseconds), not from /proc's 10 ms ticks.
"""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.driver.machine import pin

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class StartError(Exception):
    """The server did not answer; the message carries the end of what it printed."""


@dataclass(frozen=True)
class Usage:
    """What a process tree has used since it began."""

    cpu: float  # seconds, user and system, all threads, children too
    switches: int  # voluntary context switches of the threads that live
    threads: Mapping[int, float]  # thread id → CPU seconds

    def since(self, earlier: "Usage") -> "Usage":
        """The difference of two readings."""
        threads = {tid: cpu - earlier.threads.get(tid, 0.0) for tid, cpu in self.threads.items()}
        return Usage(self.cpu - earlier.cpu, self.switches - earlier.switches, threads)

    def busy_threads(self) -> int:
        """Threads that did more than 2 % of the work: 1 means that requests do not hop between threads."""
        return sum(cpu > 0.02 * self.cpu for cpu in self.threads.values())


class Server:
    """A running server. Use it as a context manager: its whole session is killed at the end."""

    def __init__(
        self, command: Iterable[str], *, port: int, cwd: Path, env: Mapping[str, str], core: int | None = 0
    ) -> None:
        self.port = port
        self.started = time.perf_counter()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the server
        self._process = subprocess.Popen(
            list(command),
            cwd=cwd,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: pin(core),
        )

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def wait_ready(self, path: str, timeout: float = 20.0) -> float:
        """Seconds from start to the first 200 on `path`."""
        deadline = self.started + timeout
        while time.perf_counter() < deadline:
            if self._process.poll() is not None:
                raise StartError(f"exit code {self._process.returncode}: {self.last_line()}")
            if _answers(self.port, path):
                return time.perf_counter() - self.started
            time.sleep(0.001)
        raise StartError(f"no answer within {timeout:.0f} s: {self.last_line()}")

    def usage(self) -> Usage:
        """What the tree has used until now."""
        pids = self.tree()
        cpu = sum(_cpu_clock(pid) for pid in pids) + _reaped(self._process.pid)
        switches, threads = 0, {}
        for pid in pids:
            for task in _tasks(pid):
                switches += _voluntary_switches(task)
                threads[int(task.name)] = _on_cpu(task)
        return Usage(cpu, switches, threads)

    def rss(self) -> int:
        """Resident bytes of the tree (pages shared inside it count more than once)."""
        return sum(int((Path("/proc") / str(pid) / "statm").read_text().split()[1]) * PAGE for pid in self.tree())

    def tree(self) -> list[int]:
        """Ids of the process and its descendants."""
        found = [self._process.pid]
        for pid in found:
            for task in _tasks(pid):
                found += map(int, _read(task / "children").split())
        return found

    def alive(self) -> bool:
        """Whether the first process still runs."""
        return self._process.poll() is None

    def last_line(self) -> str:
        """The last line that the server printed."""
        self._output.seek(0)
        lines = [line for line in self._output.read().decode(errors="replace").splitlines() if line.strip()]
        return lines[-1].strip()[:300] if lines else "it printed nothing"

    def printed(self) -> int:
        """Bytes that the tree has printed; does not read them, which would move the place where the server writes."""
        return os.fstat(self._output.fileno()).st_size

    def stop(self, grace: float = 3.0) -> None:
        """Asks politely, then kills the session."""
        if self.alive():
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._output.close()


def free_port() -> int:
    """A port of the loopback interface that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    """CPU time of one process (all its threads, also the ended ones)."""
    return _cpu_clock(pid)


def _answers(port: int, path: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            return client.recv(64).startswith((b"HTTP/1.1 200", b"HTTP/1.0 200"))
    except OSError:
        return False


def _cpu_clock(pid: int) -> float:
    try:
        return time.clock_gettime((~pid << 3) | 2)  # the clock that clock_getcpuclockid(3) names
    except OSError:
        return 0.0


def _reaped(pid: int) -> float:
    fields = _read(Path("/proc") / str(pid) / "stat").rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / TICK if fields else 0.0  # cutime, cstime


def _tasks(pid: int) -> list[Path]:
    try:
        return list((Path("/proc") / str(pid) / "task").iterdir())
    except OSError:
        return []


def _voluntary_switches(task: Path) -> int:
    for line in _read(task / "status").splitlines():
        if line.startswith("voluntary_ctxt_switches"):
            return int(line.split()[1])
    return 0


def _on_cpu(task: Path) -> float:
    return int((_read(task / "schedstat") or "0").split()[0]) / 1e9


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
