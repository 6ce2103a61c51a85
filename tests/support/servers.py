"""Real servers as child processes, ours and three others: on a free port, ready when the context begins."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: What all print when they accept.
LISTENING = re.compile(
    r"(?:Listening|[Rr]unning)(?: on| at:) (?:https?://([0-9.]+|\[[0-9a-f:]+\]):(\d+)|unix(?: socket |:)(/\S+))"
)

#: No wait in a test is longer than this, in seconds: a good machine under load may be ten times slower than a free one.
PATIENCE = 90.0


@dataclass
class Server:
    """A running server."""

    process: subprocess.Popen[str]
    scheme: str = "http"
    host: str = "127.0.0.1"
    port: int = 0
    #: Of the Unix socket, where it listens on one alone.
    path: str = ""
    lines: list[str] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)
    #: Set once nobody can print any more: what was printed last is read some time after the process has ended.
    silent: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def output(self) -> str:
        """Everything that it has printed so far."""
        return "".join(self.lines)

    def wait_for(self, text: str) -> None:
        """Wait until it has printed ``text``."""
        self.wait_until(lambda: text in self.output)

    def wait_until(self, holds: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Wait until ``holds()``, which is tried whenever it has printed a line, and now and then."""
        end = time.monotonic() + patience
        while not holds():
            assert time.monotonic() < end, self.output
            over = self.process.poll() is not None and self.silent.is_set()
            assert not over or holds(), self.output
            with self.news:
                self.news.wait(0.02)

    @contextlib.contextmanager
    def standing_still(self, pid: int | None = None) -> Iterator[None]:
        """Stop it, or another process of it, for a while; what happens meanwhile is one moment to it."""
        pid = self.process.pid if pid is None else pid
        os.kill(pid, signal.SIGSTOP)
        try:
            self.wait_until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end, and for all that was printed; gives the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self.silent.wait(PATIENCE)
        return code


def command(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `data-bridge arguments` to its end."""
    line = [sys.executable, "-m", "data_bridge", *arguments]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)


@contextlib.contextmanager
def data_bridge(
    target: str, *options: str, app_dir: Path, env: dict[str, str] | None = None, pass_fds: Sequence[int] = ()
) -> Iterator[Server]:
    """Run `data-bridge run target`."""
    command = [sys.executable, "-m", "data_bridge", "run", target, "--port", "0", "--app-dir", str(app_dir), *options]
    with running(command, app_dir, env, pass_fds) as server:
        yield server


@contextlib.contextmanager
def uvicorn(target: str, *options: str, app_dir: Path, env: dict[str, str] | None = None) -> Iterator[Server]:
    """Run `uvicorn target`."""
    command = [sys.executable, "-m", "uvicorn", target, "--port", "0", "--app-dir", str(app_dir)]
    # Five seconds by itself: a client that is slower than that writes to a connection that is being closed.
    command += ["--timeout-keep-alive", "600", *options]
    with running(command, app_dir, env) as server:
        yield server


@contextlib.contextmanager
def hypercorn(target: str, *options: str, app_dir: Path, env: dict[str, str] | None = None) -> Iterator[Server]:
    """Run `hypercorn target`."""
    command = [sys.executable, "-m", "hypercorn", target, "--bind", "127.0.0.1:0", *options]
    with running(command, app_dir, env) as server:
        yield server


@contextlib.contextmanager
def granian(target: str, *options: str, app_dir: Path, env: dict[str, str] | None = None) -> Iterator[Server]:
    """Run `granian target`."""
    # It prints the port that it was told, before it listens: one is chosen here, and tried until it answers.
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--port", str(free_port()), target, *options]
    with running(command, app_dir, env) as server:
        server.wait_until(lambda: _listens(server.port))
        yield server


def free_port() -> int:
    """Give a port that nobody listens on, out of those that the system gives to nobody by itself."""
    return next(port for port in iter(lambda: random.randrange(20_000, 32_000), None) if not _listens(port))


def _listens(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def running(
    command: list[str], folder: Path, env: dict[str, str] | None = None, pass_fds: Sequence[int] = ()
) -> Iterator[Server]:
    """Run `command` in `folder` until it listens."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        pass_fds=pass_fds,
    )
    server = Server(process)
    listening = threading.Event()
    reader = threading.Thread(target=_read, args=(server, listening), daemon=True)
    reader.start()
    try:
        if not listening.wait(PATIENCE) or not (server.port or server.path):
            raise AssertionError(f"the server did not start:\n{server.output}")
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            reader.join(PATIENCE)
            assert process.stdout is not None
            process.stdout.close()


def _read(server: Server, listening: threading.Event) -> None:
    assert server.process.stdout is not None
    for line in server.process.stdout:
        with server.news:
            server.lines.append(line)
            server.news.notify_all()
        found = LISTENING.search(line)
        if found and found[3] and not server.port:
            server.path = found[3]
            listening.set()
        elif found and not server.port:
            server.host, server.port = found[1], int(found[2])
            server.scheme = "https" if "https://" in found[0] else "http"
            listening.set()
    server.silent.set()
    listening.set()
