"""ASGI's extensions of `http`, as httpx, aiohttp, curl and a bare socket see them: hints, trailers, files."""

from __future__ import annotations

import asyncio
import random
import shutil
import socket
import subprocess
from typing import TYPE_CHECKING

import aiohttp
import httpx
import pytest
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENT = random.Random(7).randbytes(3_000_000)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[servers.Server]:
    folder: Path = tmp_path_factory.mktemp("files")
    (folder / "file").write_bytes(CONTENT)
    apps = request.path.parent / "apps"
    with servers.data_bridge("extended:app", app_dir=apps, env={"TEST_FOLDER": str(folder)}) as running:
        yield running
        assert running.stop() == 0


@pytest.fixture
def client(server: servers.Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=servers.PATIENCE) as connected:
        yield connected


def raw(server: servers.Server, request: str) -> bytes:
    """Send a request and give all that comes back until the server closes."""
    with socket.create_connection((server.host, server.port), timeout=servers.PATIENCE) as sock:
        sock.sendall(f"{request}\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        received = b""
        while chunk := sock.recv(1 << 20):
            received += chunk
    return received


def test_the_scope_names_them_and_is_the_requests_own(client: httpx.Client) -> None:
    for _ in range(2):
        assert client.get("/extensions").json() == {
            "http.response.early_hint": {},
            "http.response.trailers": {},
            "http.response.pathsend": {},
            "http.response.zerocopysend": {},
        }


def test_early_hints_go_ahead_of_the_response(server: servers.Server, client: httpx.Client) -> None:
    received = raw(server, "GET /hints HTTP/1.1")
    assert received.startswith(
        b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\nlink: </b.js>; rel=preload\r\n\r\n"
        b"HTTP/1.1 103 Early Hints\r\nlink: </c>\r\n\r\nHTTP/1.1 200 OK\r\n"
    )
    assert b" 103 " not in raw(server, "GET /hints HTTP/1.0")
    assert client.get("/hints").text == "hinted"
    curl = shutil.which("curl")
    if curl:
        shown = subprocess.run([curl, "-sv", f"{server.url}/hints"], capture_output=True, text=True, check=True)
        assert shown.stdout == "hinted"
        assert "103 Early Hints" in shown.stderr


def test_early_hints_cannot_inject_and_come_first(server: servers.Server, client: httpx.Client) -> None:
    assert client.get("/bad_hints").json() == ["RuntimeError", "RuntimeError", "TypeError", "TypeError"]
    assert b"x-injected" not in raw(server, "GET /bad_hints HTTP/1.1")


def test_a_file_by_path(server: servers.Server, client: httpx.Client) -> None:
    for _ in range(3):
        answer = client.get("/path")
        assert answer.content == CONTENT
        assert "transfer-encoding" not in answer.headers
    head = client.head("/path")
    assert head.headers["content-length"] == str(len(CONTENT))
    assert raw(server, "HEAD /path HTTP/1.1").endswith(b"\r\n\r\n")
    assert raw(server, "GET /path HTTP/1.0").endswith(CONTENT)

    async def fetch() -> list[bytes]:
        async with aiohttp.ClientSession(server.url) as session:

            async def one() -> bytes:
                async with session.get("/path_in_chunks") as answer:
                    return await answer.read()

            return await asyncio.gather(*(one() for _ in range(20)))

    assert all(content == CONTENT for content in asyncio.run(fetch()))


def test_a_file_in_chunks_may_have_trailers(server: servers.Server) -> None:
    received = raw(server, "GET /path_in_chunks HTTP/1.1")
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head
    assert body == b"%x\r\n%b\r\n0\r\nx-sum: 1\r\n\r\n" % (len(CONTENT), CONTENT)


def test_a_file_that_cannot_be_opened_raises_and_the_response_goes_on(client: httpx.Client) -> None:
    assert client.get("/missing").json() == ["FileNotFoundError", "OSError"]


def test_parts_of_a_file_keep_their_order(client: httpx.Client) -> None:
    assert client.get("/parts").content == b"<" + CONTENT[5:15] + b"|" + CONTENT[3:11] + b">"


def test_a_file_is_counted_against_the_length(server: servers.Server) -> None:
    assert raw(server, "GET /too_long HTTP/1.1").endswith(b"\r\n\r\n" + CONTENT[:10])
    assert len(raw(server, "GET /too_short HTTP/1.1").partition(b"\r\n\r\n")[2]) in (0, len(CONTENT))


def test_a_file_that_shrinks_is_a_closed_connection(server: servers.Server, client: httpx.Client) -> None:
    assert len(raw(server, "GET /truncated HTTP/1.1")) < 1 << 29
    assert client.get("/hints").text == "hinted"


def test_what_is_no_regular_file_is_refused(client: httpx.Client) -> None:
    refused = client.get("/wrong_files").json()
    assert refused == ["OSError", "ValueError", "ValueError", "AttributeError", "KeyError"]
