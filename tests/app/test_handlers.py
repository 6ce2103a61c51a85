"""How handlers are run on our own server: tasks, threads, contexts, bodies, streams, faults."""

from __future__ import annotations

import contextlib
import os
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
    patient = ("--linger-timeout", str(servers.PATIENCE))  # a slow machine's clients send slowly
    with servers.data_bridge("handlers:app", *patient, app_dir=APPS) as server:
        yield server


@pytest.fixture
def client(server: servers.Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=servers.PATIENCE) as client:
        yield client


def _connect(server: servers.Server) -> socket.socket:
    return socket.create_connection((server.host, server.port), servers.PATIENCE)


def _everything(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def until(condition, what: str):
    """Ask again until it holds."""
    deadline = time.monotonic() + servers.PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"


@pytest.mark.parametrize("path", ["/task", "/suspended"])
def test_a_coroutine_runs_in_a_task_of_asyncio(client, path):
    answer = client.get(path).json()
    assert (answer["module"], answer["task"]) == ("_asyncio", "Task")
    assert answer["main"]


def test_a_task_stays_itself_after_a_suspension(client):
    assert client.get("/suspended").json()["same"]


def test_a_function_runs_in_a_thread_unless_it_is_inline(client):
    assert not client.get("/thread").json()["main"]
    assert client.get("/inline").json()["main"]


@pytest.mark.parametrize("path", ["/task", "/suspended", "/inline", "/thread"])
def test_each_request_has_a_context_of_its_own(client, path):
    assert [client.get(path).json()["variable"] for _ in range(3)] == ["unset"] * 3


def test_a_hundred_handlers_wait_at_once(server):
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(_connect(server)) for _ in range(100)]
        for connection in connections:
            connection.sendall(b"GET /hundred HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert all(_everything(connection).endswith(b'"all here"') for connection in connections)


def test_forty_functions_may_block_at_once(server):
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(_connect(server)) for _ in range(40)]
        for connection in connections:
            connection.sendall(b"GET /forty HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert all(_everything(connection).endswith(b"true") for connection in connections)


def test_timeouts_and_groups_of_asyncio_work_inside(client):
    assert client.get("/timeout").json() == "timed out"
    assert client.get("/group").json() == [0, 1, 2]


def test_the_users_task_factory_is_respected(client):
    assert client.get("/factory/on").json() != "made"
    assert client.get("/factory/off").json() == "made"
    assert client.get("/factory/off").json() != "made"


def test_a_body_is_read_as_it_arrives(server):
    with _connect(server) as connection:
        head = b"POST /slow-body HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
        connection.sendall(head + b"Expect: 100-continue\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        for text in (b"a", b"bc", b"def"):
            connection.sendall(b"%x\r\n%s\r\n" % (len(text), text))
        connection.sendall(b"0\r\n\r\n")
        answer = _everything(connection)
    assert answer.endswith(b'"text":"abcdef"}')


def test_a_json_body_may_arrive_in_pieces(server):
    with _connect(server) as connection:
        head = b"POST /body-and-request HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\n"
        connection.sendall(head + b"Expect: 100-continue\r\nContent-Length: 10\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        connection.sendall(b'{"a": ')
        connection.sendall(b"[1]}")
        answer = _everything(connection)
    assert b'"data":{"a":[1]},"raw":"{\\"a\\": [1]}"' in answer


def test_a_large_body_is_one_piece_for_a_dict(server, client):
    data = {"text": "x" * 1_000_000}
    answer = client.post("/body-and-request?q=1", json=data).json()
    assert answer["data"] == data
    assert answer["path"] == "/body-and-request"
    assert answer["url"] == f"{server.url}/body-and-request?q=1"


def test_a_body_beyond_the_limit_is_refused(server):
    with _connect(server) as connection:
        head = b"POST /body-and-request HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
        connection.sendall(head + b"Content-Length: %d\r\n\r\n" % (17 * 1024 * 1024))
        with contextlib.suppress(ConnectionError):
            for _ in range(17):
                connection.sendall(b" " * 1024 * 1024)
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("path", ["/body-and-request", "/body-twice"])
@pytest.mark.parametrize("media_type", ["application/json", "text/plain"])
def test_a_body_that_grows_beyond_the_limit_is_refused(server, path, media_type):
    """Whoever reads it: the plan, the reference path or the handler."""
    with _connect(server) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: h\r\nContent-Type: {media_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        with contextlib.suppress(ConnectionError):
            for _ in range(17):
                connection.sendall(b"100000\r\n" + b" " * 1024 * 1024 + b"\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_body_may_be_asked_for_again_but_a_stream_may_not(client):
    assert client.post("/body-twice", json=[1]).json() == {"same": True, "json": [1]}
    assert "Stream consumed" in client.post("/stream-twice", content=b"abc").text


def test_a_stream_ends_when_the_client_leaves(server, client):
    with _connect(server) as connection:
        connection.sendall(b"GET /endless/one HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65536)
        assert client.get("/streams/one").json() == "open"
    until(lambda: client.get("/streams/one").json() == "closed", "the generator was closed")
    assert "GeneratorExit" not in server.output
    assert "CancelledError" not in server.output


def test_a_client_that_does_not_read_stops_the_stream(server, client):
    with _connect(server) as connection:
        connection.sendall(b"GET /endless/slow HTTP/1.1\r\nHost: x\r\n\r\n")
        # The generator is suspended by now, or this would never be answered.
        assert client.get("/task").status_code == 200


def test_a_stream_that_breaks_is_logged_and_cut_off(server, client):
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete|without sending|peer closed"):
        client.get("/broken-stream")
    assert client.get("/task").status_code == 200
    until(lambda: "ValueError: broken half-way" in server.output, "the traceback was logged")
    assert server.output.count("broken half-way") == 2, "once in the source line and once as the error"


def test_a_header_that_cannot_be_sent_is_a_logged_500(server, client):
    answer = client.get("/bad-header")
    assert answer.status_code == 500
    assert "set-cookie" not in answer.headers
    until(lambda: "x-bad" in server.output, "the reason was logged")


def test_a_fault_is_logged_even_if_nobody_waits_for_the_answer(server):
    with _connect(server) as connection:
        connection.sendall(b"GET /late-fault HTTP/1.1\r\nHost: x\r\n\r\n")
    until(lambda: "ValueError: nobody waits for this" in server.output, "the traceback was logged")


def test_a_fault_after_the_response_is_logged_once(server, client):
    assert client.get("/after-fault").json() == "answered"
    until(lambda: "ValueError: after the response" in server.output, "the traceback was logged")
    assert server.output.count("ValueError: after the response") == 1, "what is raised ends the list"


def test_the_response_does_not_wait_for_what_comes_after_it(client, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert client.get("/after-slow", params={"pipe": str(pipe)}).json() == "answered"
    pipe.write_text("what the loop waits for")


def test_an_exit_in_a_handler_is_a_500(client):
    assert client.get("/exits").status_code == 500
    assert client.get("/task").status_code == 200


def test_routes_may_be_added_while_the_server_runs(client):
    assert client.get("/added/a").status_code == 404
    assert client.get("/later/a").status_code == 200
    assert client.get("/added/a").text == "added a"


def test_native_routes_answer_like_all_others(client):
    assert client.get("/native").text == "native"
    assert client.head("/native").headers["content-length"] == "6"
    answer = client.get("/native/json")
    assert (answer.status_code, answer.headers["content-type"], answer.headers["x-a"]) == (202, "application/json", "b")
    assert client.post("/native").status_code == 405
