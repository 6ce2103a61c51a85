"""Nobody reads the access log: requests are answered all the same; what was lost is told, at last at the end."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

APPS = Path(__file__).parent.parent / "http" / "apps"

#: As long as a request target may be, so that few lines fill what is kept.
LONG = "x" * 16_000
TOLD = "lines of the access log were thrown away: nobody read standard output"


@dataclass
class Unread:
    """A server whose standard output is a pipe or a socket that nobody reads yet."""

    process: subprocess.Popen[str]
    address: tuple[str, int]
    #: Where its standard output can be read.
    output: int
    #: The lines on its standard error.
    said: list[str] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)

    def client(self) -> httpx.Client:
        return httpx.Client(base_url="http://{}:{}".format(*self.address), timeout=servers.PATIENCE)

    def wait_for(self, text: str) -> None:
        with self.news:
            assert self.news.wait_for(lambda: any(text in line for line in self.said), servers.PATIENCE), self.said

    def listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self.news:
                self.said.append(line)
                self.news.notify_all()


@contextlib.contextmanager
def unread(target: str, *flags: str, kind: str = "pipe") -> Iterator[Unread]:
    ours, theirs = os.pipe() if kind == "pipe" else [end.detach() for end in socket.socketpair()]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address, number = listener.getsockname(), listener.fileno()
        command = [sys.executable, "-m", "data_bridge", "run", target, "--app-dir", str(APPS)]
        process = subprocess.Popen(
            [*command, "--fd", str(number), *flags],
            pass_fds=[number],
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
        )
    os.close(theirs)
    server = Unread(process, address, ours)
    listening = threading.Thread(target=server.listen)
    listening.start()
    try:
        yield server
    finally:
        process.kill()
        process.wait()
        listening.join()
        os.close(ours)
        assert process.stderr is not None
        process.stderr.close()


class Reading:
    """Somebody who reads from now on, a little at a time."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._parts: list[bytes] = []
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while part := os.read(self._file, 1000):
            self._parts.append(part)

    def all(self) -> bytes:
        """Everything, up to its end."""
        self._thread.join(servers.PATIENCE)
        assert not self._thread.is_alive(), "somebody still has the other end"
        return b"".join(self._parts)


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_requests_are_answered_while_nobody_reads(kind: str, workers: str) -> None:
    with (
        unread("plain:app", "--workers", workers, "--metrics-path", "/metrics", kind=kind) as server,
        server.client() as client,
    ):
        while not dropped(client):
            for _ in range(20):
                assert client.get(f"/pid?{LONG}").status_code == 200
        reading = Reading(server.output)
        server.wait_for(TOLD)
        assert client.get("/pid").status_code == 200
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(servers.PATIENCE) == 0
        reading.all()


@contextlib.contextmanager
def held(server: Unread) -> Iterator[Callable[[], None]]:
    """A request at work, as long as its client has not sent the end of its body; gives what sends it."""
    head = b"POST /items HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
    with socket.create_connection(server.address, servers.PATIENCE) as connection:
        connection.sendall(head + b"Expect: 100-continue\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")

        def release() -> None:
            connection.sendall(b"{}")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")

        yield release


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_kept_is_written_at_the_end(number: signal.Signals) -> None:
    """Somebody begins to read when the last request ends: what is more than a pipe holds was kept until then."""
    with unread("counted:app") as server, held(server) as release:
        with server.client() as client:
            for request in range(15):
                assert client.get(f"/native?{request}-{LONG}").status_code == 200
        server.process.send_signal(number)
        server.wait_for("Stopping")
        reading = Reading(server.output)
        release()
        assert server.process.wait(servers.PATIENCE) == 0
        log = reading.all().decode()
        assert sorted(map(int, re.findall(r"/native\?(\d+)-x{16000} ", log))) == list(range(15))
        assert log.count("\n") == 16
        assert "POST /items " in log
    assert not any(TOLD in line for line in server.said), server.said


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_what_nobody_has_read_at_the_end_is_told(kind: str, workers: str) -> None:
    with unread("counted:app", "--workers", workers, kind=kind) as server:
        with server.client() as client:
            for _ in range(40):
                assert client.get(f"/native?{LONG}").status_code == 200
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(servers.PATIENCE) == 0
        log = Reading(server.output).all()
    told = [line for line in server.said if TOLD in line]
    lost = sum(int(re.findall(r"lines=(\d+)", line)[0]) for line in told)
    assert lost > 0, server.said
    assert log.count(b"\n") + lost == 40


def dropped(client: httpx.Client) -> float:
    """How many lines the server counts as lost."""
    for family in text_string_to_metric_families(client.get("/metrics").text):
        if family.name == "data_bridge_access_log_dropped":
            return float(sum(sample.value for sample in family.samples))
    raise AssertionError("no such metric")
