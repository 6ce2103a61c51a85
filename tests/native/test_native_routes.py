"""Native routes answer without the interpreter: also while another thread holds the GIL."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parent / "apps"


@pytest.fixture
def server() -> Iterator[servers.Server]:
    with servers.data_bridge("gil:app", "--no-access-log", app_dir=APPS) as running:
        yield running


def ask(connection: socket.socket, path: str) -> bytes:
    connection.sendall(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path.encode())
    return connection.recv(65536)


def test_native_routes_answer_while_the_gil_is_held(server: servers.Server) -> None:
    address = (server.host, server.port)
    with (
        socket.create_connection(address, timeout=servers.PATIENCE) as native,
        socket.create_connection(address, timeout=servers.PATIENCE) as python,
    ):
        assert ask(native, "/native").endswith(b"ok")
        assert b"held" in ask(python, "/hold/2000")
        # From 0.2 s on the GIL is held, and no Python work is due.
        held = time.monotonic()
        answered = 0
        while time.monotonic() - held < 1.0:
            assert ask(native, "/native").endswith(b"ok")
            answered += 1
        assert answered > 10, "answered one after the other within a second in which no Python code could run"
        assert b"python" in ask(python, "/python")
        assert time.monotonic() - held > 1.5, "the GIL was held all the time"
