"""ASGI 3.0 over real sockets: scope, streaming both ways, disconnects, orders that are refused, lifespan, shutdown."""

from __future__ import annotations

import json
import signal
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parent / "apps"


@pytest.fixture(scope="module")
def server() -> Iterator[servers.Server]:
    with servers.data_bridge("plain:app", app_dir=APPS) as running:
        yield running


@pytest.fixture
def client(server: servers.Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=servers.PATIENCE) as connected:
        yield connected


def wait_for(client: httpx.Client, what: str) -> list[str]:
    """Ask the app for what it has seen until `what` is in it."""
    deadline = time.monotonic() + servers.PATIENCE
    while time.monotonic() < deadline:
        seen: list[str] = client.get("/report").json()
        if any(what in entry for entry in seen):
            return seen
    raise AssertionError(f"{what!r} did not come: {seen}")


def test_scope_has_exact_types(client: httpx.Client, server: servers.Server) -> None:
    got = client.get("/scope/a%20b%C3%A4?x=%20y", headers={"X-Upper": "Value"}).json()
    assert got["type"] == ["str", "'http'"]
    assert got["http_version"] == ["str", "'1.1'"]
    assert got["method"] == ["str", "'GET'"]
    assert got["scheme"] == ["str", "'http'"]
    assert got["path"] == ["str", "'/scope/a bä'"]
    assert got["raw_path"] == ["bytes", repr(b"/scope/a%20b%C3%A4")]
    assert got["query_string"] == ["bytes", repr(b"x=%20y")]
    assert got["root_path"] == ["str", "''"]
    assert got["server"][1] == repr((server.host, server.port))
    assert got["client"][1].startswith("('127.0.0.1', ")
    assert "(b'x-upper', b'Value')" in got["headers"][1]
    assert got["header_types"] == ["tuple:bytes"]
    assert "'spec_version': '2.4'" in got["asgi"][1]


def test_state_is_a_shallow_copy_for_each_request(client: httpx.Client) -> None:
    first, second = (client.get("/scope").json()["state"][1] for _ in range(2))
    assert "own" not in first
    assert "own" not in second
    assert first != second, "the counter object itself is shared"


def test_body_is_streamed_both_ways(client: httpx.Client) -> None:
    body = bytes(range(256)) * 4000

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(body), 10_000):
            yield body[start : start + 10_000]

    answer = client.post("/echo", content=pieces())
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.content == body + b"|1"


def test_empty_body_gives_one_message(client: httpx.Client) -> None:
    assert client.post("/echo").content == b"|1"


def test_illegal_sends_raise_and_leave_the_call_usable(client: httpx.Client) -> None:
    caught = client.get("/wrong_order").json()
    expected = "Runtime Value Runtime Runtime Runtime Key Runtime Type"
    assert caught == [f"{kind}Error" for kind in expected.split()]
    assert "late:RuntimeError" in wait_for(client, "late:")


def test_disconnect_is_told_again_and_again_and_send_raises_oserror(
    client: httpx.Client, server: servers.Server
) -> None:
    with socket.create_connection((server.host, server.port)) as leaving:
        leaving.sendall(b"GET /disconnect HTTP/1.1\r\nHost: a\r\n\r\n")
    seen = wait_for(client, "send:")
    assert seen[-3:] == ["http.disconnect", "http.disconnect", "send:ClientDisconnected"]


def test_a_slow_reader_holds_the_app_back(client: httpx.Client, server: servers.Server) -> None:
    with socket.create_connection((server.host, server.port)) as slow:
        slow.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        assert slow.recv(1)
        before = ""
        while (now := next(iter(client.get("/report").json()), "")) != before or not now:
            before = now
        assert int(now.removeprefix("chunks:")) < 400, "socket buffers and 64 KiB of our own"
    wait_for(client, "ended")


def test_head_has_no_body(client: httpx.Client) -> None:
    answer = client.head("/pid")
    assert answer.status_code == 200
    assert answer.content == b""


def test_an_app_goes_on_after_its_last_chunk_however_large(client: httpx.Client) -> None:
    assert len(client.get("/large").content) == 300_000
    wait_for(client, "large: sent")


@pytest.mark.parametrize("path", ["/raises", "/nothing", "/exits_late", "/interrupted_late"])
def test_an_app_that_does_not_answer_is_a_500(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 500


def test_an_exception_is_logged_with_its_traceback(client: httpx.Client, server: servers.Server) -> None:
    client.get("/raises")
    server.wait_for("Exception in ASGI application")
    server.wait_for("RuntimeError: on purpose")


def test_a_short_body_closes_the_connection(client: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/short")


def test_handlers_run_in_a_real_task_on_our_loop(client: httpx.Client) -> None:
    assert client.get("/current_task").json() == ["_asyncio.Task", True, "Loop"]


def test_trailers_are_sent(server: servers.Server) -> None:
    with socket.create_connection((server.host, server.port), timeout=servers.PATIENCE) as raw:
        raw.sendall(b"GET /trailers HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close\r\n\r\n")
        received = b""
        while piece := raw.recv(65536):
            received += piece
    assert received.endswith(b"\r\n0\r\nx-sum: 42\r\n\r\n")


def test_many_requests_at_once_wait_together(server: servers.Server) -> None:
    with httpx.Client(base_url=server.url) as client:
        client.get("/pid")
    sockets = [socket.create_connection((server.host, server.port), timeout=servers.PATIENCE) for _ in range(100)]
    begun = time.monotonic()
    for one in sockets:
        one.sendall(b"GET /slow?0.5 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    for one in sockets:
        while one.recv(65536):
            pass
        one.close()
    assert time.monotonic() - begun < 25, "one after the other would take 50 s"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_runs_the_shutdown(number: int) -> None:
    with servers.data_bridge("plain:app", app_dir=APPS) as server:
        with socket.create_connection((server.host, server.port), timeout=servers.PATIENCE) as waiting:
            waiting.sendall(b"GET /slow?3 HTTP/1.1\r\nHost: a\r\n\r\n")
            with httpx.Client(base_url=server.url) as client:
                client.get("/pid")
            server.process.send_signal(number)
            received = b""
            while piece := waiting.recv(65536):
                received += piece
        assert b"HTTP/1.1 200" in received
        assert b"connection: close" in received.lower()
        assert server.process.wait(servers.PATIENCE) == 0
    assert "shutdown was run" in server.output


def test_work_after_the_answer_is_waited_for() -> None:
    with servers.data_bridge("plain:app", app_dir=APPS) as server:
        assert httpx.get(server.url + "/late_work").text == "answered"
        assert server.stop() == 0
    assert "late work done" in server.output


def test_what_does_not_end_is_cancelled_after_the_grace() -> None:
    with (
        servers.data_bridge("plain:app", "--graceful-timeout", "0.3", app_dir=APPS) as server,
        socket.create_connection((server.host, server.port)) as waiting,
    ):
        waiting.sendall(b"GET /slow?1000 HTTP/1.1\r\nHost: a\r\n\r\n")
        httpx.get(server.url + "/pid")
        assert server.stop() == 0
    assert "shutdown was run" in server.output


def test_an_app_without_lifespan_is_served() -> None:
    with servers.data_bridge("plain:without_lifespan", app_dir=APPS) as server:
        assert httpx.get(server.url).text == "False"


def test_json_of_a_deeply_chunked_request_arrives_whole(client: httpx.Client) -> None:
    sent = json.dumps(list(range(10_000))).encode()
    answer = client.post("/echo", content=(sent[at : at + 1] for at in range(2000)))
    assert answer.content == sent[:2000] + b"|1"
