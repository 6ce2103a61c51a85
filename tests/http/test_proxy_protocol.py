"""PROXY headers before the first byte: both versions, whatever follows, and every way in which one can be wrong."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.support import servers
from tests.support.certificates import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parent / "apps"
REQUEST = b"GET /seen HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LINE = b"PROXY TCP4 203.0.113.7 198.51.100.1 4711 443\r\n"


def header(command: int, family: int, payload: bytes = b"") -> bytes:
    """Version 2."""
    return SIGNATURE + struct.pack("!BBH", command, family, len(payload)) + payload


V4 = header(0x21, 0x11, bytes((203, 0, 113, 7, 198, 51, 100, 1)) + struct.pack("!HH", 4711, 443))
V6 = header(
    0x21,
    0x21,
    socket.inet_pton(socket.AF_INET6, "2001:db8::7")
    + socket.inet_pton(socket.AF_INET6, "2001:db8::1")
    + struct.pack("!HH", 4711, 443),
)
#: The extension that says that the client speaks TLS.
TLS = V4[:14] + struct.pack("!H", 12 + 8) + V4[16:] + b"\x20\0\5\1\0\0\0\0"


@pytest.fixture(scope="module")
def server() -> Iterator[servers.Server]:
    with servers.data_bridge("proxied:asgi", "--proxy-protocol", app_dir=APPS) as running:
        yield running


def answered(server: servers.Server, *parts: bytes) -> bytes:
    """What comes back for ``parts``, each sent once the one before has been taken; nothing where it was closed."""
    with socket.create_connection((server.host, server.port), timeout=servers.PATIENCE) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for part in parts:
                client.sendall(part)
            return b"".join(iter(lambda: client.recv(65536), b""))
        except (ConnectionResetError, BrokenPipeError):
            return b""


def seen(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    if b"chunked" in head:
        body = body.split(b"\r\n")[1]
    found: dict[str, Any] = json.loads(body)
    return found


def ends(client: str, server: str) -> dict[str, Any]:
    return {"scheme": "http", "client": [client, 4711], "server": [server, 443]}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (LINE, ends("203.0.113.7", "198.51.100.1")),
        (b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n", ends("2001:db8::7", "2001:db8::1")),
        (V4, ends("203.0.113.7", "198.51.100.1")),
        (V6, ends("2001:db8::7", "2001:db8::1")),
        (TLS, {**ends("203.0.113.7", "198.51.100.1"), "scheme": "https"}),
        (header(0x21, 0x31, bytes(216)), {"scheme": "http", "client": None, "server": None}),
    ],
)
def test_both_ends_are_those_that_the_proxy_saw(said: bytes, expected: dict[str, Any], server: servers.Server) -> None:
    assert seen(answered(server, said + REQUEST)) == expected
    assert seen(answered(server, *(bytes((byte,)) for byte in said), REQUEST)) == expected
    if expected["client"]:
        host = expected["client"][0]
        server.wait_for(f'{f"[{host}]" if ":" in host else host}:4711 - "GET /seen')


@pytest.mark.parametrize("said", [b"PROXY UNKNOWN\r\n", header(0x20, 0x00), header(0x20, 0x11, V4[16:])])
def test_a_proxy_that_speaks_for_itself_is_the_client(said: bytes, server: servers.Server) -> None:
    found = seen(answered(server, said + REQUEST))
    assert (found["client"][0], found["server"]) == ("127.0.0.1", ["127.0.0.1", server.port])


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"PROXY TCP4 203.0.113.7 198.51.100.1 4711\r\n",
        b"PROXY TCP4 203.0.113.7 198.51.100.1 4711 99999\r\n",
        b"PROXY UNKNOWN " + b"x" * 120 + b"\r\n",
        LINE[:20] + b"\r\n",
        header(0x11, 0x11, V4[16:]),
        header(0x21, 0x11, V4[16:-1]),
        SIGNATURE + b"\x21\x11\xff\xff",
    ],
)
def test_anything_else_is_closed_unanswered(said: bytes, server: servers.Server) -> None:
    assert answered(server, said + REQUEST) == b""
    server.wait_for("it does not begin with a PROXY header")


def test_a_header_that_does_not_come_is_not_waited_for() -> None:
    options = ("--proxy-protocol", "--header-timeout", "0.2")
    with servers.data_bridge("proxied:asgi", *options, app_dir=APPS) as server:
        assert answered(server) == b""
        assert answered(server, LINE[:10]) == b""
        assert answered(server, V4[:20]) == b""


def test_only_trusted_proxies_are_believed() -> None:
    options = ("--proxy-protocol", "--forwarded-allow-ips", "10.0.0.0/8")
    with servers.data_bridge("proxied:asgi", *options, app_dir=APPS) as server:
        assert answered(server, LINE + REQUEST) == b""
        server.wait_for("a PROXY header is believed of trusted proxies alone")
    options = ("--proxy-protocol", "--forwarded-allow-ips", "127.0.0.1,203.0.113.0/24")
    forwarding = REQUEST.replace(b"Connection", b"X-Forwarded-For: 6.6.6.6, 192.0.2.9\r\nConnection")
    with servers.data_bridge("proxied:asgi", *options, app_dir=APPS) as server:
        assert seen(answered(server, LINE + forwarding))["client"] == ["192.0.2.9", 0], (
            "a second proxy before the first"
        )
        stranger = LINE.replace(b"203.0.113.7", b"192.0.2.1")
        assert seen(answered(server, stranger + forwarding))["client"] == ["192.0.2.1", 4711]


def test_switched_off_it_is_no_request() -> None:
    with servers.data_bridge("proxied:asgi", app_dir=APPS) as server:
        assert answered(server, LINE + REQUEST).startswith(b"HTTP/1.1 400 ")


def test_tls_inside_and_a_unix_socket(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    path = tmp_path / "server.sock"
    options = ("--proxy-protocol", "--uds", str(path), *authority.issue("server", "localhost").flags)
    with servers.data_bridge("proxied:asgi", *options, app_dir=APPS), socket.socket(socket.AF_UNIX) as plain:
        plain.settimeout(servers.PATIENCE)
        plain.connect(str(path))
        plain.sendall(V4)
        context = ssl.create_default_context(cafile=str(authority.root))
        with context.wrap_socket(plain, server_hostname="localhost") as client:
            client.sendall(REQUEST)
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        assert seen(answer) == {**ends("203.0.113.7", "198.51.100.1"), "scheme": "https"}


@pytest.mark.parametrize("version", ["send-proxy", "send-proxy-v2"])
def test_behind_haproxy(version: str, server: servers.Server, tmp_path: Path) -> None:
    program = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("haproxy is not installed; the headers that it writes are tested above")
    config = tmp_path / "haproxy.cfg"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config.write_text(
            "defaults\n mode http\n timeout connect 90s\n timeout client 90s\n timeout server 90s\n"
            f"frontend front\n bind fd@{listening.fileno()}\n default_backend back\n"
            f"backend back\n server one {server.host}:{server.port} {version}\n"
        )
        command = [program, "-db", "-q", "-f", str(config)]
        proxy = subprocess.Popen(command, pass_fds=(listening.fileno(),), stderr=subprocess.DEVNULL)
        try:
            port = listening.getsockname()[1]
            with httpx.stream("GET", f"http://127.0.0.1:{port}/seen", timeout=servers.PATIENCE) as response:
                ours = response.extensions["network_stream"].get_extra_info("client_addr")
                found = json.loads(response.read())
            assert (found["client"], found["server"]) == (list(ours), ["127.0.0.1", port])
        finally:
            proxy.terminate()
            proxy.wait(servers.PATIENCE)
