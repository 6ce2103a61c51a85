"""Native routes answer without the interpreter: also while another thread holds the GIL."""

from __future__ import annotations

import select
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support import servers
from tests.support.gil import held

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
def test_native_routes_answer_while_the_gil_is_held(
    server: servers.Server, path: str, end: bytes, tmp_path: Path
) -> None:
    address = (server.host, server.port)
    with (
        socket.create_connection(address, timeout=servers.PATIENCE) as native,
        socket.create_connection(address, timeout=servers.PATIENCE) as python,
    ):
        assert ask(native, path).endswith(end)
        with held(server, tmp_path, lambda target: ask(python, target)):
            for _ in range(20):
                assert ask(native, path).endswith(end)
            python.sendall(b"GET /python HTTP/1.1\r\nHost: a\r\n\r\n")
            assert not select.select([python], [], [], 0.2)[0], "the GIL was held all the time"
        assert b"python" in python.recv(65536)
