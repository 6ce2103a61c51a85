"""Floods of HTTP/2: each is cut, keeps its memory within bounds, and leaves other clients their answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from h2.errors import ErrorCodes
from hpack import Encoder
from tests.support import servers
from tests.support.http2 import Client, frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

APPS = Path(__file__).parent / "apps"

#: Memory that a flood may cost, in bytes.
BOUND = 8 * 1024 * 1024

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 8, 9
END_STREAM, END_HEADERS = 1, 4


@pytest.fixture(scope="module")
def server() -> Iterator[servers.Server]:
    with servers.data_bridge("multiplexed:app", "--no-access-log", app_dir=APPS) as running:
        with Client(running) as client:
            for _ in range(200):
                client.answer(client.ask("/unread"))
        yield running


def memory(server: servers.Server) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def request(stream: int, flags: int = END_STREAM | END_HEADERS, path: str = "/waits") -> bytes:
    fields = [(":method", "GET"), (":scheme", "http"), (":authority", "localhost"), (":path", path)]
    return frame(HEADERS, flags, stream, Encoder().encode(fields))


def rapid_reset(number: int) -> bytes:
    stream = number * 2 + 1
    return request(stream) + frame(RST_STREAM, 0, stream, b"\0\0\0\x08")


def slow_reset(number: int) -> bytes:
    """Resets of streams that are long gone."""
    return request(number * 2 + 1, path="/unread") + frame(RST_STREAM, 0, max(number - 50, 0) * 2 + 1, b"\0\0\0\x08")


def continuation(number: int) -> bytes:
    field = Encoder().encode([(f"x-{number}", "a" * 100)])
    return request(1, END_STREAM) if number == 0 else frame(CONTINUATION, 0, 1, field)


def empty_continuation(number: int) -> bytes:
    return request(1, END_STREAM) if number == 0 else frame(CONTINUATION, 0, 1)


def ping(_number: int) -> bytes:
    return frame(PING, 0, 0, b"12345678")


def settings(_number: int) -> bytes:
    return frame(SETTINGS, 0, 0, b"\0\x04\0\x01\0\0")


def priority(number: int) -> bytes:
    return frame(PRIORITY, 0, number * 2 + 1, b"\0\0\0\0\x10")


def empty_data(number: int) -> bytes:
    return request(1, END_HEADERS, "/whole") if number == 0 else frame(DATA, 0, 1)


def window_update(_number: int) -> bytes:
    return frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\x01")


def unknown(_number: int) -> bytes:
    return frame(0x77, 0, 0, b"x")


FLOODS = [
    rapid_reset, slow_reset, continuation, empty_continuation, ping, settings, priority, empty_data, window_update,
    unknown,
]  # fmt: skip


@pytest.mark.parametrize("flood", FLOODS, ids=lambda flood: flood.__name__)
def test_a_flood_is_cut(server: servers.Server, flood: Callable[[int], bytes]) -> None:
    before = memory(server)
    with Client(server) as attacker, Client(server) as good:
        sent = 0
        attacker.socket.setblocking(False)
        while sent < 200_000 and push(attacker, b"".join(flood(number) for number in range(sent, sent + 100))):
            sent += 100
            if sent % 1000 == 0:
                assert good.answer(good.ask("/unread")) == (200, b"not read")
        assert sent < 200_000, "the server takes whatever comes"
        assert good.answer(good.ask("/unread")) == (200, b"not read")
    assert memory(server) - before < BOUND


def push(attacker: Client, data: bytes) -> bool:
    """Send as an attacker does, who reads nothing but what says that it is over."""
    attacker.socket.settimeout(servers.PATIENCE)
    try:
        attacker.socket.sendall(data)
        attacker.socket.setblocking(False)
        while received := attacker.socket.recv(1 << 16):
            if b"\x07\x00\x00\x00\x00\x00" in received:  # GOAWAY
                return False
    except BlockingIOError:
        return True
    except (ConnectionError, TimeoutError):
        return False
    return False


def test_a_bomb_of_compressed_headers_is_not_unpacked(server: servers.Server) -> None:
    before = memory(server)
    with Client(server) as client:
        encoder = Encoder()
        bomb = encoder.encode([(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/unread")])
        bomb += encoder.encode([("x-bomb", "b" * 3900)])
        bomb += b"\xbe" * 16_000  # 16,000 times the entry that was added: 62 MB of header
        client.raw(frame(HEADERS, END_STREAM | END_HEADERS, 1, bomb[:16_384]))
        assert client.goodbye() in (
            ErrorCodes.COMPRESSION_ERROR,
            ErrorCodes.ENHANCE_YOUR_CALM,
            ErrorCodes.PROTOCOL_ERROR,
        )
    assert memory(server) - before < BOUND


def test_windows_that_stay_shut_hold_no_memory() -> None:
    with servers.data_bridge("multiplexed:app", "--write-timeout", "1", app_dir=APPS) as server:
        with Client(server) as client:
            client.answer(client.ask("/unread"))
        before = memory(server)
        with Client(server) as client:
            client.takes = False
            client.raw(frame(SETTINGS, 0, 0, b"\0\x04\0\0\0\0"))
            streams = [client.ask("/large") for _ in range(100)]
            for stream in streams:
                assert client.status(stream) == 200
            # A stream's output is full at 64 KiB, and the message that fills it is one of 64 KiB.
            assert memory(server) - before < 2 * BOUND
            for stream in streams:
                assert client.reason(stream) == ErrorCodes.CANCEL
            assert memory(server) - before < 2 * BOUND


def test_a_thousand_good_clients_are_not_hurt_by_a_flood(server: servers.Server) -> None:
    with Client(server) as attacker:
        attacker.socket.setblocking(False)
        for number in range(1000):
            if not attacker.ended and not push(attacker, ping(0) * 100):
                attacker.ended = True
            with Client(server) as good:
                assert good.answer(good.ask("/unread")) == (200, b"not read"), number
