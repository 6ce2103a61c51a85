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
def server(modules: Path) -> Iterator[servers.Server]:
    env = {"PYTHONPATH": str(modules)}
    with servers.data_bridge("gil:app", "--no-access-log", app_dir=APPS, env=env) as running:
        yield running


def ask(connection: socket.socket, path: str) -> bytes:
    connection.sendall(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path.encode())
    return connection.recv(65536)


@pytest.mark.parametrize(("path", "end"), [("/native", b"ok"), ("/rows/999999", b'"more":0}')])
def test_native_routes_answer_while_the_gil_is_held(server: servers.Server, path: str, end: bytes) -> None:
    address = (server.host, server.port)
    with (
        socket.create_connection(address, timeout=servers.PATIENCE) as native,
        socket.create_connection(address, timeout=servers.PATIENCE) as python,
    ):
        assert ask(native, path).endswith(end)
        assert b"held" in ask(python, "/hold/2000")
        # From 0.2 s on the GIL is held, and no Python work is due.
        held = time.monotonic()
        answered = 0
        while time.monotonic() - held < 1.0:
            assert ask(native, path).endswith(end)
            answered += 1
        assert answered > 10, "answered one after the other within a second in which no Python code could run"
        assert b"python" in ask(python, "/python")
        assert time.monotonic() - held > 1.5, "the GIL was held all the time"
