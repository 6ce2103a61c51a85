"""A stop while calls of a WSGI app run: they get their time, and no more."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest
from tests.support import servers

APPS = Path(__file__).parent / "apps"
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_calls_that_outlast_it_are_abandoned_and_counted(workers: str) -> None:
    flags = ("--workers", workers, "--graceful-timeout", "0.2")
    with servers.data_bridge("lasting:app", *flags, app_dir=APPS) as server:
        clients = [socket.create_connection((server.host, server.port), servers.PATIENCE) for _ in range(2)]
        for client in clients:
            client.sendall(REQUEST)
        server.wait_until(lambda: server.output.count("the call has begun") == 2)
        assert server.stop() == 0
        lines = [line for line in server.output.splitlines() if "Abandoning" in line]
        assert sum(int(line.split("Abandoning ")[1].split()[0]) for line in lines) == 2
        assert "Traceback" not in server.output
        for client in clients:
            assert client.recv(1000) == b""
            client.close()


def test_a_second_signal_does_not_wait_for_them() -> None:
    with (
        servers.data_bridge("lasting:app", app_dir=APPS) as server,
        socket.create_connection((server.host, server.port), servers.PATIENCE) as client,
    ):
        client.sendall(REQUEST)
        server.wait_for("the call has begun")
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("Stopping")
        assert server.stop() == 130
