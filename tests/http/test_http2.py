"""HTTP/2 over TLS and by prior knowledge: clients as users have them, streams both ways, ends, what is refused."""

from __future__ import annotations

import signal
import socket
import subprocess
from typing import TYPE_CHECKING

import httpx
import pytest
from h2.errors import ErrorCodes
from h2.events import InformationalResponseReceived, RemoteSettingsChanged, StreamEnded, TrailersReceived
from tests.conftest import require_program
from tests.http.test_tls import trusting
from tests.support import servers
from tests.support.http2 import Client
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import CloseConnection, TextMessage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.certificates import Authority, Certificate

PATIENCE = servers.PATIENCE


@pytest.fixture(scope="module")
def apps(request: pytest.FixtureRequest) -> Path:
    return request.path.parent / "apps"


@pytest.fixture(scope="module")
def server(apps: Path) -> Iterator[servers.Server]:
    with servers.data_bridge("multiplexed:app", app_dir=apps) as running:
        yield running
        assert running.stop() == 0


@pytest.fixture(scope="module")
def secured(apps: Path, certificate: Certificate) -> Iterator[servers.Server]:
    with servers.data_bridge("multiplexed:app", *certificate.flags, app_dir=apps) as running:
        yield running


@pytest.fixture
def client(server: servers.Server) -> Iterator[Client]:
    with Client(server) as connected:
        yield connected


def events(server: servers.Server) -> list[str]:
    """What the app has noted down."""
    found: list[str] = httpx.get(f"{server.url}/events", timeout=PATIENCE).json()
    return found


def until_event(server: servers.Server, text: str, count: int = 1) -> None:
    server.wait_until(lambda: events(server).count(text) >= count)


def test_httpx_chooses_it_in_the_handshake(secured: servers.Server, authority: Authority) -> None:
    with httpx.Client(http2=True, verify=trusting(authority), base_url=secured.url, timeout=PATIENCE) as client:
        answer = client.get("/seen?a=b", headers=[("x-a", "1"), ("x-a", "2"), ("cookie", "a=1"), ("cookie", "b=2")])
        assert answer.http_version == "HTTP/2"
        assert "connection" not in answer.headers
        assert {"date", "server"} < set(answer.headers)
        seen = answer.json()
        assert (seen["http_version"], seen["scheme"], seen["method"]) == ("2", "https", "GET")
        assert (seen["path"], seen["query"]) == ("/seen", "a=b")
        assert seen["headers"][0] == ["host", f"127.0.0.1:{secured.port}"]
        assert [value for name, value in seen["headers"] if name in ("x-a", "cookie")] == ["1", "2", "a=1; b=2"]
        assert seen["extensions"]["tls"]["tls_version"] == 0x0304
        assert client.post("/echo", content=b"x" * 1_000_000).content == b"x" * 1_000_000
        assert client.head("/large").content == b""
    with httpx.Client(verify=trusting(authority), base_url=secured.url, timeout=PATIENCE) as client:
        assert client.get("/seen").json()["http_version"] == "1.1"


def test_curl_nghttp_and_h2load(server: servers.Server, secured: servers.Server, authority: Authority) -> None:
    def output(*command: str) -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE).stdout

    curl, nghttp, h2load = (require_program(name) for name in ("curl", "nghttp", "h2load"))
    version = ("-sS", "-o", "/dev/null", "-w", "%{http_version} %{http_code}")
    assert output(curl, *version, "--http2-prior-knowledge", f"{server.url}/hints") == "2 200"
    assert output(curl, *version, "--cacert", str(authority.root), f"{secured.url}/seen") == "2 200"
    # An upgrade is for HTTP/1.1 to ignore (RFC 9113, 3.1).
    assert output(curl, *version, "--http2", f"{server.url}/seen") == "1.1 200"
    assert "x-sum: 1" in output(nghttp, "-v", f"{server.url}/trailed")
    for url in (server.url, secured.url):
        report = output(h2load, "-n", "2000", "-c", "4", "-m", "50", f"{url}/seen")
        assert "2000 succeeded, 0 failed, 0 errored" in report


def test_a_body_goes_both_ways_at_once(client: Client) -> None:
    stream = client.ask("/echo", method="POST", end=False)
    received = b""
    for part in (b"one", b"two"):
        client.send(stream, part)
        while not received.endswith(part):
            received += client.body(stream)
            if not received.endswith(part):
                client._more()
    client.send(stream, b"", end=True)
    assert client.answer(stream) == (200, b"")
    assert received == b"onetwo"


def test_an_upload_waits_for_its_reader_and_is_whole(client: Client) -> None:
    stream = client.ask("/whole", ("content-length", "3000000"), method="POST", end=False)
    client.send(stream, b"x" * 3_000_000, end=True)
    assert client.answer(stream) == (200, b"3000000")


def test_a_response_waits_for_its_reader(server: servers.Server) -> None:
    with Client(server) as slow, Client(server) as other:
        slow.takes = False
        stream = slow.ask("/large")
        assert slow.status(stream) == 200
        assert other.answer(other.ask("/unread")) == (200, b"not read")
        assert "all of large was taken" not in events(server)
        slow.takes = True
        slow.h2.increment_flow_control_window(1 << 24)
        slow.h2.increment_flow_control_window(1 << 24, stream)
        slow.flush()
        slow.next(StreamEnded, stream)
        assert len(slow.body(stream)) == 64 * 65536


def test_hints_and_trailers(client: Client) -> None:
    stream = client.ask("/hints")
    hint = client.next(InformationalResponseReceived, stream)
    assert dict(hint.headers or []) == {":status": "103", "link": "</a.css>; rel=preload"}
    assert client.answer(stream) == (200, b"hinted")
    stream = client.ask("/trailed")
    assert client.answer(stream) == (200, b"content")
    assert client.next(TrailersReceived, stream).headers == [("x-sum", "1")]


def test_a_body_that_is_expected_is_asked_for(client: Client) -> None:
    stream = client.ask("/whole", ("expect", "100-continue"), method="POST", end=False)
    asked = client.next(InformationalResponseReceived, stream)
    assert dict(asked.headers or [])[":status"] == "100"
    client.send(stream, b"abc", end=True)
    assert client.answer(stream) == (200, b"3")
    stream = client.ask("/unread", ("expect", "100-continue"), method="POST", end=False)
    assert client.status(stream) == 200


def test_a_body_that_nobody_reads_is_called_off(client: Client) -> None:
    stream = client.ask("/unread", method="POST", end=False)
    assert client.status(stream) == 200
    assert client.reason(stream) == ErrorCodes.NO_ERROR
    assert client.answer(client.ask("/unread")) == (200, b"not read")


@pytest.mark.parametrize("path", ["/waits", "/waits?started"])
@pytest.mark.parametrize("way", ["reset", "close"])
def test_a_client_that_leaves_is_a_disconnect(server: servers.Server, path: str, way: str) -> None:
    before = events(server)
    with Client(server) as client:
        stream = client.ask(path)
        until_event(server, "waiting", before.count("waiting") + 1)
        if way == "reset":
            client.h2.reset_stream(stream, ErrorCodes.CANCEL)
            client.flush()
            assert client.answer(client.ask("/unread")) == (200, b"not read")
    until_event(server, "http.disconnect", before.count("http.disconnect") + 1)


def test_a_response_that_breaks_off_is_seen_to(client: Client) -> None:
    for path in ("/breaks", "/short"):
        stream = client.ask(path)
        assert client.reason(stream) == ErrorCodes.INTERNAL_ERROR
    assert client.answer(client.ask("/unread")) == (200, b"not read")


def test_a_websocket_on_a_stream(client: Client, server: servers.Server) -> None:
    client.next(RemoteSettingsChanged)
    fields = (("sec-websocket-version", "13"), ("sec-websocket-protocol", "chat"), ("origin", "http://localhost"))
    stream = client.ask("/talk", *fields, method="CONNECT", protocol="websocket", end=False)
    assert client.status(stream) == 200
    websocket = Connection(ConnectionType.CLIENT)
    for text in ("hello", "x" * 200_000):
        client.send(stream, websocket.send(TextMessage(text)))
        received = ""
        while len(received) < len(text):
            websocket.receive_data(client.body(stream))
            received += "".join(event.data for event in websocket.events() if isinstance(event, TextMessage))
            if len(received) < len(text):
                client._more()
        assert received == text
    client.send(stream, websocket.send(CloseConnection(1000)))
    client.next(StreamEnded, stream)
    websocket.receive_data(client.body(stream))
    assert [type(event) for event in websocket.events()] == [CloseConnection]
    until_event(server, "websocket.disconnect 1000")
    assert client.answer(client.ask("/unread")) == (200, b"not read")


def test_what_is_no_request_is_refused_and_the_connection_goes_on(client: Client) -> None:
    many = [(f"x-{number}", "1") for number in range(101)]
    for fields, path, status in (
        (many, "/unread", 431),
        ([("x", "y" * 70_000)], "/unread", 431),
        ([], "/" + "x" * 17_000, 414),
        ([("host", "other")], "/unread", 400),
    ):
        assert client.status(client.ask(path, *fields)) == status
    assert client.status(client.ask("/x", method="CONNECT", protocol="other")) in (404, 500)
    assert client.answer(client.ask("/unread")) == (200, b"not read")


def test_more_streams_than_are_allowed_are_refused(client: Client, server: servers.Server) -> None:
    client.next(RemoteSettingsChanged)
    waiting = [client.ask("/waits") for _ in range(100)]
    client.h2.remote_settings._settings[3][0] = 1000  # what h2 would not let us send
    assert client.reason(client.ask("/unread")) == ErrorCodes.REFUSED_STREAM
    for stream in waiting:
        client.h2.reset_stream(stream)
    assert client.answer(client.ask("/unread")) == (200, b"not read")


def test_a_stop_finishes_what_is_at_work_and_sends_the_rest_away(apps: Path) -> None:
    with (
        servers.data_bridge("multiplexed:app", app_dir=apps) as server,
        Client(server) as client,
        Client(server) as idle,
    ):
        assert idle.answer(idle.ask("/unread"))[0] == 200
        stream = client.ask("/lingers")
        assert client.status(stream) == 200
        server.process.send_signal(signal.SIGTERM)
        assert idle.goodbye() == ErrorCodes.NO_ERROR
        client.next(StreamEnded, stream)
        assert client.body(stream) == b"firstlast"
        assert client.goodbye() == ErrorCodes.NO_ERROR
        assert server.process.wait(PATIENCE) == 0


def test_silent_clients_and_halves_are_cut(apps: Path) -> None:
    flags = ("--header-timeout", "2", "--keep-alive-timeout", "2", "--write-timeout", "1")
    with servers.data_bridge("multiplexed:app", *flags, app_dir=apps) as server:
        for beginning in (b"PRI * HTTP/2.0\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0"):
            with socket.create_connection((server.host, server.port), PATIENCE) as half:
                half.sendall(beginning)
                while half.recv(1024):
                    pass
        with Client(server) as idle:
            assert idle.answer(idle.ask("/unread"))[0] == 200
            assert idle.goodbye() == ErrorCodes.NO_ERROR
        with Client(server) as stuck:
            stuck.takes = False
            assert stuck.reason(stuck.ask("/large")) == ErrorCodes.CANCEL


def test_the_log_and_the_switch(apps: Path) -> None:
    with servers.data_bridge("multiplexed:app", app_dir=apps) as server, Client(server) as client:
        client.answer(client.ask("/unread"))
        server.wait_for('"GET /unread HTTP/2" 200 OK')
    with (
        servers.data_bridge("multiplexed:app", "--no-http2", app_dir=apps) as server,
        socket.create_connection((server.host, server.port), PATIENCE) as plain,
    ):
        plain.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert plain.recv(1024).startswith(b"HTTP/1.1 505 ")
