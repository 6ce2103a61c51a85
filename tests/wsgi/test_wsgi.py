"""WSGI apps over real sockets: the environ, bodies both ways, files, errors, what PEP 3333 demands."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = servers.PATIENCE


@pytest.fixture(scope="module")
def apps(request: pytest.FixtureRequest) -> Path:
    return request.path.parent / "apps"


@pytest.fixture(scope="module")
def server(apps: Path) -> Iterator[servers.Server]:
    with servers.data_bridge("plain:app", "--root-path", "/mount", "--threads", "6", app_dir=apps) as running:
        assert "(WSGI;" in running.output
        yield running
        assert running.stop() == 0


@pytest.fixture
def client(server: servers.Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as connected:
        yield connected


def raw(server: servers.Server, request: bytes) -> bytes:
    with socket.create_connection((server.host, server.port), PATIENCE) as connection:
        connection.sendall(request)
        received = b""
        while part := connection.recv(65536):
            received += part
    return received


def test_the_environ(server: servers.Server, client: httpx.Client) -> None:
    headers = [("X-A", "1"), ("X-A", "2"), ("X_A", "hidden"), ("Cookie", "a=1"), ("Content-Type", "text/x")]
    found: dict[str, Any] = client.get("/environ/%C3%A9%2F?a=%20b", headers=headers).json()
    expected = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "/mount",
        "PATH_INFO": "/environ/\xc3\xa9/",
        "QUERY_STRING": "a=%20b",
        "CONTENT_TYPE": "text/x",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(server.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_X_A": "1,2",
        "HTTP_COOKIE": "a=1",
        "HTTP_HOST": f"127.0.0.1:{server.port}",
        "wsgi.version": [1, 0],
        "wsgi.url_scheme": "http",
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    assert {key: found.get(key) for key in expected} == expected
    assert "CONTENT_LENGTH" not in found
    assert client.get("/mount/environ/x").json()["PATH_INFO"] == "/environ/x"
    assert client.post("/environ", content=b"abc").json()["CONTENT_LENGTH"] == "3"


@pytest.mark.parametrize("size", [0, 10, 65_537, 3_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_bodies(client: httpx.Client, size: int, chunked: bool) -> None:
    content = b"x" * size
    parts = (content[start : start + 10_000] for start in range(0, size, 10_000))
    assert client.post("/echo", content=parts if chunked else content).content == content


def test_the_input_is_a_file(client: httpx.Client) -> None:
    for content in (b"one\ntwo\nthree\nfour\nfive", iter([b"one\ntwo\nth", b"ree\nfour\nfive"])):
        assert client.post("/lines", content=content).json() == ["one\n", "two\n", "thr", "ee\n", "four\n", "five"]


def test_a_body_is_read_and_answered_as_it_comes(server: servers.Server) -> None:
    with socket.create_connection((server.host, server.port), PATIENCE) as connection:
        connection.sendall(b"POST /streamed HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        for number in range(3):
            connection.sendall(b"7\r\nline %d\n\r\n" % number)
            received = b""
            while b"got line %d\n" % number not in received:
                received += connection.recv(1024)
        connection.sendall(b"0\r\n\r\n")


def test_a_body_is_asked_for_by_reading_it(server: servers.Server) -> None:
    head = b"POST /%s HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 3\r\nconnection: close\r\n\r\n"
    assert raw(server, head % b"unread").startswith(b"HTTP/1.1 404 ")
    with socket.create_connection((server.host, server.port), PATIENCE) as connection:
        connection.sendall(head % b"echo")
        assert connection.recv(1024) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"abc")
        assert connection.recv(1024).startswith(b"HTTP/1.1 200 ")


def test_ways_to_answer(client: httpx.Client) -> None:
    unread = client.get("/unread")
    assert (unread.status_code, unread.text, unread.headers["content-length"]) == (404, "not read", "8")
    assert unread.headers.raw[0] == (b"X-Text", b"caf\xe9")
    assert client.get("/written").text == "by write, by return"
    assert client.get("/file").content == (b"0123456789" * 100_000)[5:]
    assert client.get("/no_file").text == "like a file"
    replaced = client.get("/replaced")
    assert (replaced.status_code, replaced.text) == (503, "replaced")
    head = client.head("/unread")
    assert (head.headers["content-length"], head.content) == ("8", b"")


def test_what_is_wrong_is_a_500_and_logged(server: servers.Server, client: httpx.Client) -> None:
    for path, text in (
        ("/raises", "in raises"),
        ("/raises", "of the app's own"),
        ("/exits", "SystemExit(3)"),
        ("/silent", "did not call start_response()"),
        ("/twice", "a second call needs exc_info"),
        ("/wrong", "must be bytes, not str"),
        ("/injected", "in the value of header"),
    ):
        assert client.get(path).status_code == 500, path
        server.wait_for(text)
    assert client.get("/written").status_code == 200


def test_a_client_that_leaves_closes_the_result(server: servers.Server, client: httpx.Client) -> None:
    with client.stream("GET", "/endless") as answer:
        next(answer.iter_raw())
    server.wait_until(lambda: "closed" in client.get("/events").json())
    with socket.create_connection((server.host, server.port), PATIENCE) as connection:
        connection.sendall(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\nbeginning")
    assert client.get("/written").status_code == 200


def test_calls_run_at_once_in_threads_of_their_own(server: servers.Server) -> None:
    def get(_: int) -> str:
        return httpx.get(f"{server.url}/meets", timeout=PATIENCE).text

    with ThreadPoolExecutor(4) as pool:
        names = set(pool.map(get, range(4)))
    assert len(names) == 4
    assert all(name.startswith("wsgi") for name in names)


def test_a_body_that_has_its_length_is_complete(server: servers.Server, client: httpx.Client) -> None:
    answer = client.get("/sized")
    assert (answer.text, answer.headers["content-length"]) == ("first, last", "11")
    assert "closed late" not in client.get("/events").json()
    assert client.get("/answered").status_code == 204
    server.wait_until(lambda: "closed late" in client.get("/events").json())
    assert client.get("/sized?more").text == "first, last"
    server.wait_for("longer than its Content-Length")
    head = client.head("/sized")
    assert (head.headers["content-length"], head.content) == ("11", b"")


def test_contexts_are_the_calls_own_and_threads_keep_theirs(client: httpx.Client) -> None:
    found: dict[str, list[int]] = {}
    for _ in range(10):
        said, calls, thread = client.get("/contexts").json()
        assert said == "by the program"
        found.setdefault(thread, []).append(calls)
    assert all(calls == list(range(calls[0], calls[-1] + 1)) for calls in found.values())


def test_a_call_whose_client_has_left_may_end_before_the_server_does(apps: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with servers.data_bridge("plain:app", app_dir=apps) as server:
        with socket.create_connection((server.host, server.port), PATIENCE) as connection:
            connection.sendall(b"GET /lingers?%s HTTP/1.1\r\nhost: x\r\n\r\n" % os.fsencode(pipe))
            server.wait_for("lingers")
        server.process.terminate()
        server.wait_for("Stopping")
        pipe.write_text("in time")
        server.wait_for("went on in time")
        assert server.process.wait(PATIENCE) == 0


def test_http2(apps: Path) -> None:
    content = b"x" * 100_000
    with (
        servers.data_bridge("plain:app", "--http2", app_dir=apps) as server,
        httpx.Client(base_url=server.url, http1=False, http2=True, timeout=PATIENCE) as client,
    ):
        answer = client.get("/environ")
        assert (answer.http_version, answer.json()["SERVER_PROTOCOL"]) == ("HTTP/2", "HTTP/2")
        assert client.post("/echo", content=content).content == content
        assert client.post("/streamed", content=content).content == b"got " + content
        assert client.get("/file").content == (b"0123456789" * 100_000)[5:]
        assert client.get("/raises").status_code == 500


def test_a_websocket_is_refused(server: servers.Server) -> None:
    handshake = b"GET /environ HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    handshake += b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    with socket.create_connection((server.host, server.port), PATIENCE) as connection:
        connection.sendall(handshake)
        assert connection.recv(1024).startswith(b"HTTP/1.1 403 ")


def test_wsgiref_finds_nothing(apps: Path) -> None:
    with servers.data_bridge("checked:app", "--interface", "wsgi", app_dir=apps) as server:
        for method, content in (("GET", b""), ("HEAD", b""), ("POST", b"x" * 10), ("POST", b"x" * 100_000)):
            answer = httpx.request(method, f"{server.url}/a/b?c", content=content or None, timeout=PATIENCE)
            assert answer.status_code == 200, server.output
            assert method == "HEAD" or answer.text == f"read {len(content)}"


@pytest.mark.parametrize("flags", [(), ("--workers", "2")], ids=["one", "workers"])
def test_flask(apps: Path, flags: tuple[str, ...]) -> None:
    with (
        servers.data_bridge("flasked:app", *flags, app_dir=apps) as server,
        httpx.Client(base_url=server.url, timeout=PATIENCE) as client,
    ):
        assert client.get("/hello/x?q=1").json() == {"hello": "x", "q": "1"}
        files = {"file": ("a.bin", b"x" * 300_000)}
        assert client.post("/form", data={"field": "é"}, files=files).json() == {
            "field": "é",
            "name": "a.bin",
            "size": 300_000,
        }
        assert [client.get("/visits").text for _ in range(3)] == ["1", "2", "3"]
        assert client.get("/stream").text == "0 of /stream\n1 of /stream\n2 of /stream\n"
        content = (apps / "flasked.py").read_bytes()
        assert client.get("/file").content == content
        part = client.get("/file", headers={"range": "bytes=5-14"})
        assert (part.status_code, part.content) == (206, content[5:15])
        assert client.get("/memory").text == "in memory"
        assert client.get("/broken").status_code == 500
        assert client.get("/missing").status_code == 404
        assert client.get("/where").text == f"{server.url}/hello/x"


@pytest.mark.parametrize("flags", [(), ("--workers", "2")], ids=["one", "workers"])
@pytest.mark.parametrize("face", ["wsgi", "asgi"])
def test_django_and_its_admin(apps: Path, tmp_path: Path, face: str, flags: tuple[str, ...]) -> None:
    environment = {"TEST_FOLDER": str(tmp_path)}
    # The database is made by whoever imports the app: here, before two workers would at once.
    subprocess.run([sys.executable, "-c", "import djangoed"], cwd=apps, env={**os.environ, **environment}, check=True)
    with (
        servers.data_bridge(f"djangoed:{face}", *flags, app_dir=apps, env=environment) as server,
        httpx.Client(base_url=server.url, timeout=PATIENCE, follow_redirects=True) as client,
    ):
        assert client.get("/hello/x?q=1").text == "hello x 1 http /hello/x"
        assert client.post("/upload", files={"file": ("a", b"x" * 3_000_000)}).text == "3000000"
        if face == "wsgi":  # under ASGI, Django warns of a generator that is not asynchronous
            assert client.get("/stream").text == "one\ntwo\n"
        page = client.get("/admin/")
        assert "Log in" in page.text
        form = {"username": "admin", "password": "secret", "next": "/admin/"}
        fields = {**form, "csrfmiddlewaretoken": client.cookies["csrftoken"]}
        page = client.post("/admin/login/", data=fields, headers={"referer": f"{server.url}/admin/login/"})
        assert "Site administration" in page.text
        assert "admin" in client.get("/admin/auth/user/").text


def test_the_interface_may_be_named(apps: Path) -> None:
    with servers.data_bridge("plain:app", "--interface", "wsgi", app_dir=apps) as server:
        assert json.loads(httpx.get(f"{server.url}/environ", timeout=PATIENCE).text)["SCRIPT_NAME"] == ""
    ended = servers.command("run", "plain:app", "--interface", "asgi", "--app-dir", str(apps), folder=apps)
    assert (ended.returncode, "leave out --interface asgi" in ended.stderr) == (2, True)
