"""WebSocket over real sockets: FastAPI's way under our server and under uvicorn, raw frames, limits, ends."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import pytest
import websockets
from tests.support import servers
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
APPS = HERE / "apps"
CASES = json.loads((HERE / "websocket_frames.json").read_text())
CARRIERS = {"data_bridge": servers.data_bridge, "uvicorn": servers.uvicorn}


@pytest.fixture(scope="module", params=CARRIERS)
def either(request: pytest.FixtureRequest) -> Iterator[servers.Server]:
    with CARRIERS[request.param]("sockets:app", app_dir=APPS) as running:
        yield running


@pytest.fixture(scope="module")
def raw() -> Iterator[servers.Server]:
    with servers.data_bridge(
        "sockets:raw", "--ws-ping-interval", "0", "--graceful-timeout", "1", app_dir=APPS
    ) as running:
        yield running


def ws(server: servers.Server, path: str) -> str:
    return f"ws://{server.host}:{server.port}{path}"


def wait_for(server: servers.Server, path: str, what: str) -> str:
    """Ask the app for what it has seen until `what` is in it."""
    deadline = time.monotonic() + servers.PATIENCE
    while time.monotonic() < deadline:
        text = httpx.get(server.url + path).text
        if what in text:
            return text
    raise AssertionError(f"{what!r} did not come: {text}")


def resident(server: servers.Server) -> int:
    """Bytes of memory that the server has."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def test_messages_of_all_kinds_come_back(either: servers.Server) -> None:
    with connect(ws(either, "/echo"), max_size=None) as client:
        assert client.protocol.extensions, "compression was agreed on"
        for message in ["", "hello", "äöü€😀" * 1000, b"", bytes(range(256)) * 1000, "x" * 3_000_000]:
            client.send(message)
            assert client.recv() == message
        client.send(["in ", "frag", "ments"])
        assert client.recv() == "in fragments"
        assert client.ping().wait(servers.PATIENCE)


def test_without_compression(either: servers.Server) -> None:
    with connect(ws(either, "/echo"), compression=None) as client:
        for size in [1, 125, 126, 65_535, 65_536, 1_000_000]:
            client.send(b"y" * size)
            assert client.recv() == b"y" * size


def test_the_end_is_told_on_both_sides(either: servers.Server) -> None:
    for code, reason in [(1000, ""), (1001, "going"), (3210, "ü")]:
        with connect(ws(either, "/echo")) as client:
            client.close(code, reason)
            assert (client.close_code, client.close_reason) == (code, reason)
        wait_for(either, "/seen", f'"{f"{code} {reason}".strip()}"')


def test_a_connection_that_breaks_is_1006(echo: servers.Server) -> None:
    shaken(echo, "/echo").close()
    wait_for(echo, "/seen", '"1006"')


@pytest.mark.parametrize("code", [1000, 1008, 1011, 3000, 4999])
def test_an_app_closes_with_its_code(either: servers.Server, code: int) -> None:
    with connect(ws(either, f"/closes/{code}?reason=why")) as client:
        with pytest.raises(ConnectionClosed):
            client.recv()
        assert (client.close_code, client.close_reason) == (code, "why")


def test_refusals(either: servers.Server) -> None:
    for path, status, body in [("/refuses", 403, b""), ("/denies", 401, b'{"why":"not you"}'), ("/none", 403, b"")]:
        with pytest.raises(InvalidStatus) as refused, connect(ws(either, path)):
            pass
        assert refused.value.response.status_code == status
        assert refused.value.response.body == body
    with pytest.raises(InvalidStatus) as refused, connect(ws(either, "/raises")):
        pass
    assert refused.value.response.status_code == 500


def test_messages_are_not_lost_before_a_close(either: servers.Server) -> None:
    with connect(ws(either, "/many")) as client:
        assert list(client) == [str(number) for number in range(1000)]


def scope_seen(server: servers.Server) -> tuple[Any, ...]:
    options: Any = {"subprotocols": ["chat", "soap"], "additional_headers": {"X-Upper": "Value", "Cookie": "a=b"}}
    with connect(ws(server, "/scope/a%20b?x=%20y"), **options) as client:
        seen = json.loads(client.recv())
        own = client.response.headers.get_all("x-own") if client.response else None
        with pytest.raises(ConnectionClosed):
            client.recv()
        seen["headers"] = [field for field in eval(seen["headers"]) if field[0] not in ("host", "sec-websocket-key")]
        return seen, client.subprotocol, own, client.close_code, client.close_reason


def test_the_scope_is_as_under_uvicorn() -> None:
    with (
        servers.data_bridge("sockets:app", app_dir=APPS) as ours,
        servers.uvicorn("sockets:app", app_dir=APPS) as theirs,
    ):
        assert scope_seen(ours) == scope_seen(theirs)


def test_an_app_that_raises_or_returns_closes(raw: servers.Server) -> None:
    with servers.data_bridge("sockets:app", app_dir=APPS) as server:
        for path, code in [("/raises_late", 1011), ("/returns", 1000)]:
            with connect(ws(server, path)) as client:
                with pytest.raises(ConnectionClosed):
                    client.recv()
                assert client.close_code == code
        server.wait_for("RuntimeError: after accept")


def test_illegal_sends_raise_and_leave_the_call_usable(raw: servers.Server) -> None:
    with connect(ws(raw, "/orders")) as client:
        caught = str(client.recv()).split()
        with pytest.raises(ConnectionClosed):
            client.recv()
    assert caught == [
        "websocket.connect",
        *("RuntimeError", "RuntimeError", "ValueError", "RuntimeError", "RuntimeError"),
        *("nothing", "RuntimeError", "ValueError", "TypeError", "UnicodeEncodeError", "ValueError", "ValueError"),
    ]
    seen = wait_for(raw, "/", "websocket.disconnect\nwebsocket.disconnect").split("\n")
    assert seen[-4:] == ["nothing", "RuntimeError", "websocket.disconnect", "websocket.disconnect"]


def test_aiohttp_as_a_client(either: servers.Server) -> None:
    async def talk() -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(ws(either, "/echo"), compress=15) as client:
            for message in ["one", "two" * 10_000]:
                await client.send_str(message)
                assert (await client.receive_str(timeout=servers.PATIENCE)) == message
            await client.send_bytes(b"\x00\xff")
            assert (await client.receive_bytes(timeout=servers.PATIENCE)) == b"\x00\xff"

    asyncio.run(talk())


REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
)


def shaken(server: servers.Server, path: str, more: str = "") -> socket.socket:
    """A socket behind the handshake."""
    client = socket.create_connection((server.host, server.port), timeout=servers.PATIENCE)
    client.sendall(REQUEST.format(path=path, more=more).encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += client.recv(1)
    assert head.startswith(b"HTTP/1.1 101 "), head
    return client


@pytest.fixture(scope="module")
def echo() -> Iterator[servers.Server]:
    with servers.data_bridge("sockets:app", "--ws-ping-interval", "0", "--no-access-log", app_dir=APPS) as running:
        yield running


@pytest.mark.parametrize("pieces", [False, True], ids=["whole", "bytewise"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_frames(echo: servers.Server, case: dict[str, Any], pieces: bool) -> None:
    sent = bytes.fromhex(case["send"])
    with shaken(echo, "/echo") as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in [sent[at : at + 1] for at in range(len(sent))] if pieces else [sent]:
            try:
                client.sendall(piece)
            except ConnectionError:
                break  # closed before the rest
        answer = b""
        if "expect" in case:
            # A close is answered at once, whatever the app is about to say.
            answer = exactly(client, len(bytes.fromhex(case["expect"])))
            client.sendall(bytes.fromhex("8880 00000000"))
        answer += received(client)
    if "expect" in case:
        assert answer == bytes.fromhex(case["expect"] + "8800"), case["why"]
    else:
        code = int.from_bytes(answer[2:4], "big") if len(answer) > 2 else None
        assert (answer[:1], code) == (b"\x88", case["close"]), case["why"]


def exactly(client: socket.socket, count: int) -> bytes:
    """So many bytes."""
    answer = b""
    while len(answer) < count:
        piece = client.recv(count - len(answer))
        assert piece, f"closed after {answer!r}"
        answer += piece
    return answer


def received(client: socket.socket) -> bytes:
    """Everything until the server closes."""
    answer = b""
    try:
        while piece := client.recv(65536):
            answer += piece
    except ConnectionResetError:
        pass
    return answer


def frame(first: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        size = bytes([0x80 | length])
    elif length < 1 << 16:
        size = b"\xfe" + length.to_bytes(2, "big")
    else:
        size = b"\xff" + length.to_bytes(8, "big")
    return bytes([first]) + size + bytes(4) + payload


def pour(client: socket.socket, data: bytes, most: int) -> int:
    """Send `data` again and again until the server takes no more for a second; gives how much that was."""
    client.settimeout(1)
    total = 0
    while total < most:
        try:
            total += client.send(data[total % len(data) :])
        except TimeoutError:
            return total
    raise AssertionError("there was no end to it")


def test_a_flood_of_pings_costs_little(echo: servers.Server) -> None:
    with shaken(echo, "/echo") as client:
        before = resident(echo)
        pour(client, frame(0x89, b"x" * 125) * 100, 200_000_000)
        assert resident(echo) - before <= 4_000_000


def test_messages_that_the_app_does_not_take_stop_the_reading(raw: servers.Server) -> None:
    with shaken(raw, "/deaf") as client:
        before = resident(raw)
        pour(client, frame(0x82, b"x" * 1000) * 100, 200_000_000)
        assert resident(raw) - before <= 4_000_000


def test_a_deflate_bomb_is_closed(echo: servers.Server) -> None:
    squeeze = zlib.compressobj(9, wbits=-15)
    bomb = squeeze.compress(bytes(200_000_000)) + squeeze.flush(zlib.Z_SYNC_FLUSH)
    with shaken(echo, "/echo", "Sec-WebSocket-Extensions: permessage-deflate\r\n") as client:
        before = resident(echo)
        client.sendall(frame(0xC2, bomb[:-4]))
        answer = received(client)
        assert (answer[:1], int.from_bytes(answer[2:4], "big")) == (b"\x88", 1009)
        assert resident(echo) - before <= 2 * 16 * 1024 * 1024


def test_a_slow_reader_holds_the_app_back(raw: servers.Server) -> None:
    with shaken(raw, "/flood") as slow:
        assert slow.recv(1)
        before = ""
        while (now := httpx.get(raw.url).text.split("\n")[-1]) != before or now == "0":
            before = now
        assert int(now) < 1000, "socket buffers and 64 KiB of our own"
    wait_for(raw, "/", "left")


def test_a_crowd_of_senders_waits_for_room(raw: servers.Server) -> None:
    before = resident(raw)
    with connect(ws(raw, "/crowd"), max_queue=1) as client:
        first = client.recv()
        assert resident(raw) - before <= 12_000_000, "a thousand frames of 10 kB were not all made"
        got = [first, *client]
    assert sorted(got) == sorted(number.to_bytes(2, "big") * 5000 for number in range(2000))


def test_a_stop_tells_everybody_1012() -> None:
    with servers.data_bridge("sockets:app", app_dir=APPS) as server, connect(ws(server, "/echo")) as client:
        client.send("here")
        assert client.recv() == "here"
        server.process.terminate()
        with pytest.raises(ConnectionClosed):
            client.recv()
        assert client.close_code == 1012
        assert server.process.wait(servers.PATIENCE) == 0


def test_a_silent_client_is_pinged_and_closed() -> None:
    options = ["--ws-ping-interval", "0.1", "--ws-ping-timeout", "0.1"]
    with servers.data_bridge("sockets:app", *options, app_dir=APPS) as server, shaken(server, "/echo") as client:
        answer = received(client)
    assert answer.startswith(b"\x89\x00")
    close = answer.index(b"\x88")
    assert int.from_bytes(answer[close + 2 : close + 4], "big") == 1011


def test_settings_reach_the_wire() -> None:
    options = ["--ws-max-size", "1000", "--no-ws-per-message-deflate"]
    with servers.data_bridge("sockets:app", *options, app_dir=APPS) as server, connect(ws(server, "/echo")) as client:
        assert client.protocol.extensions == []
        client.send("x" * 1000)
        assert len(client.recv()) == 1000
        client.send("x" * 1001)
        with pytest.raises(ConnectionClosed):
            client.recv()
        assert client.close_code == 1009


def test_bad_handshakes_are_refused(echo: servers.Server) -> None:
    good = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    for change, status in [
        ({"Sec-WebSocket-Version": "8"}, 426),
        ({"Sec-WebSocket-Key": "short"}, 400),
        ({"Upgrade": "other"}, 404),
        ({"Connection": "close"}, 404),
    ]:
        answer = httpx.get(echo.url + "/echo", headers=good | change)
        assert answer.status_code == status
        if status == 426:
            assert answer.headers["sec-websocket-version"] == "13"


def test_many_at_once(echo: servers.Server) -> None:
    async def one(number: int) -> None:
        async with websockets.connect(ws(echo, "/echo")) as client:
            for round_ in range(5):
                await client.send(f"{number} {round_}")
                assert await client.recv() == f"{number} {round_}"

    async def all_of_them() -> None:
        await asyncio.gather(*(one(number) for number in range(100)))

    asyncio.run(all_of_them())
