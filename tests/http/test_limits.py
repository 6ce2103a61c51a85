"""Each limit and time-out of the settings, as a client meets it. What takes longer than moments is `make limits`'s."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parent / "apps"

#: So small that a few lines are beyond them.
SIZES = {
    "--max-uri": 100,
    "--max-headers": 8,
    "--max-header-bytes": 400,
    "--max-header-field": 200,
    "--max-trailer-bytes": 60,
    "--max-chunk-extensions": 40,
}

#: Less than any default that would end the same wait, and far more than a busy machine needs.
SOON = 8.0


@contextlib.contextmanager
def limited(*options: str) -> Iterator[servers.Server]:
    with servers.data_bridge(
        "limited:app", "--no-access-log", "--graceful-timeout", "0.1", *options, app_dir=APPS
    ) as server:
        yield server


def dial(server: servers.Server, sent: bytes = b"") -> socket.socket:
    sock = socket.create_connection((server.host, server.port), timeout=servers.PATIENCE)
    sock.sendall(sent)
    return sock


def everything(sock: socket.socket) -> bytes:
    """What comes until the server ends the connection."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while part := sock.recv(65536):
            data += part
    return data


def status(server: servers.Server, request: bytes) -> int:
    with dial(server, request) as sock:
        return int(sock.recv(65536).split()[1])


def get(*fields: str, path: str = "/") -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "host: x", *fields, "", ""]).encode()


def post(body: bytes, framing: str = "transfer-encoding: chunked") -> bytes:
    return f"POST / HTTP/1.1\r\nhost: x\r\n{framing}\r\n\r\n".encode() + body


@pytest.fixture(scope="module")
def small() -> Iterator[servers.Server]:
    with limited(*(text for flag, size in SIZES.items() for text in (flag, str(size)))) as server:
        yield server


@pytest.mark.parametrize(
    ("within", "beyond", "refusal"),
    [
        pytest.param(get(path="/" + "a" * 99), get(path="/" + "a" * 100), 414, id="max_uri"),
        pytest.param(get(*["a: 1"] * 7), get(*["a: 1"] * 8), 431, id="max_headers"),
        pytest.param(get("a: " + "b" * 180), get(*["a: " + "b" * 180] * 3), 431, id="max_header_bytes"),
        pytest.param(get("a: " + "b" * 180), get("a: " + "b" * 210), 431, id="max_header_field"),
        pytest.param(
            post(b"0\r\na: %s\r\n\r\n" % (b"b" * 40)),
            post(b"0\r\na: %s\r\n\r\n" % (b"b" * 80)),
            431,
            id="max_trailer_bytes",
        ),
        pytest.param(
            post(b"1;a=%s\r\nx\r\n0\r\n\r\n" % (b"b" * 20)),
            post(b"1;a=%s\r\nx\r\n" % (b"b" * 20) + b"1;a=%s\r\nx\r\n0\r\n\r\n" % (b"b" * 20)),
            400,
            id="max_chunk_extensions",
        ),
    ],
)
def test_sizes(small: servers.Server, within: bytes, beyond: bytes, refusal: int) -> None:
    assert status(small, within) == 200
    assert status(small, beyond) == refusal


@pytest.mark.parametrize(
    ("option", "sent", "answer"),
    [
        pytest.param("--header-timeout", b"", b"", id="silent"),
        pytest.param("--header-timeout", b"GET / HTTP/1.1\r\nho", b"HTTP/1.1 408", id="half a head"),
        pytest.param("--keep-alive-timeout", get(), b"HTTP/1.1 200", id="idle"),
        pytest.param("--body-timeout", post(b"xyz", "content-length: 9"), b"HTTP/1.1 408", id="half a body"),
    ],
)
def test_a_silent_client_is_cut(option: str, sent: bytes, answer: bytes) -> None:
    with limited(option, "1") as server, dial(server, sent) as sock:
        since = time.monotonic()
        assert everything(sock).startswith(answer)
        assert time.monotonic() - since < SOON


def test_a_body_that_drips_is_cut() -> None:
    options = ("--min-body-rate", "1000000", "--body-rate-grace", "0.3")
    with limited(*options) as server, dial(server, post(b"", "content-length: 100000")) as sock:
        since = time.monotonic()
        sock.settimeout(0.05)
        answer = b""
        while not answer:
            with contextlib.suppress(ConnectionError):  # closed meanwhile: the answer is there to read
                sock.sendall(b"x")
            with contextlib.suppress(TimeoutError):
                answer = sock.recv(65536)
        assert answer.startswith(b"HTTP/1.1 408")
        assert time.monotonic() - since < SOON


def test_a_client_that_does_not_read_is_cut() -> None:
    with limited("--write-timeout", "0.3") as server, dial(server, get(path="/large")) as sock:
        poll = select.poll()
        poll.register(sock, 0)
        assert poll.poll(SOON * 1000), "no reset came"


def test_headers_of_the_servers_own() -> None:
    with limited("--no-server-header", "--no-date-header") as server, dial(server, get("connection: close")) as sock:
        head = everything(sock).lower()
    assert b"200 ok" in head
    assert b"server:" not in head
    assert b"date:" not in head


def shaken(server: servers.Server, path: str, *fields: str) -> tuple[socket.socket, bytes]:
    """Give a WebSocket and its acceptance."""
    upgrade = ["connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13"]
    sock = dial(server, get(*upgrade, "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==", *fields, path=path))
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += sock.recv(1)
    return sock, head.lower()


def frame(first: int, payload: bytes = b"") -> bytes:
    return bytes([first, 0x80 | len(payload)]) + bytes(4) + payload


def test_messages_in_the_queue_of_a_websocket() -> None:
    with limited("--ws-max-queue", "1000") as server:
        sock, _ = shaken(server, "/")
        with sock:
            # Behind more messages than the default would take, the ping is read still.
            sock.sendall(frame(0x82, b"x") * 100 + frame(0x89, b"there?"))
            assert sock.recv(100) == b"\x8a\x06there?"


def test_frames_of_a_message() -> None:
    with limited("--ws-max-fragments", "3") as server:
        sock, _ = shaken(server, "/")
        with sock:
            sock.sendall(frame(0x02, b"x") + frame(0x00, b"x") * 3)
            assert sock.recv(100)[2:4] == (1008).to_bytes(2, "big")


def test_a_close_that_is_not_answered() -> None:
    with limited("--ws-close-timeout", "0.3") as server:
        sock, _ = shaken(server, "/closes")
        with sock:
            since = time.monotonic()
            assert everything(sock) == b"\x88\x02\x03\xe8"
            assert time.monotonic() - since < SOON


def test_compression_is_declined() -> None:
    offer = "sec-websocket-extensions: permessage-deflate"
    for option, agreed in (("--ws-per-message-deflate", True), ("--no-ws-per-message-deflate", False)):
        with limited(option) as server:
            sock, head = shaken(server, "/", offer)
            with sock:
                assert (b"permessage-deflate" in head) == agreed
