"""Native handlers within declared layers: as in Python, and without the interpreter."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import re
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.support import servers
from tests.support.codings import READERS
from tests.support.gil import held

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parent / "apps"

ORIGIN = {"Origin": "https://a.example"}
ZIPPED = {"Accept-Encoding": "gzip"}
JSON = {"Content-Type": "application/json"}
ASKS = {"Access-Control-Request-Method": "POST"}


class Asked(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    #: In parts its length is not said.
    body: bytes | tuple[bytes, ...] | None = None


CASES = {
    "simple": Asked("GET", "/made", ORIGIN),
    "of a stranger": Asked("GET", "/made", {"Origin": "https://b.example"}),
    "preflight": Asked("OPTIONS", "/made", ORIGIN | ASKS),
    "refused preflight": Asked("OPTIONS", "/made", {"Origin": "https://b.example", **ASKS}),
    "another host": Asked("GET", "/made", {"Host": "theirs"}),
    "short": Asked("GET", "/made", ZIPPED),
    "empty": Asked("DELETE", "/nothing", ORIGIN | ZIPPED),
    "body": Asked("POST", "/doubled", JSON | ORIGIN | ZIPPED, b'{"amount":2100000000}'),
    "too long a body": Asked("POST", "/doubled", JSON | ORIGIN, b"x" * 100_001),
    "of unknown length": Asked("POST", "/echoed", ORIGIN | ZIPPED, (b"x" * 50_000, b"y" * 50_000)),
    "too long, its length unknown": Asked("POST", "/doubled", JSON | ORIGIN, (b"x" * 50_000, b"y" * 50_001)),
    "wrong method": Asked("PUT", "/doubled", ORIGIN),
    "parts": Asked("GET", "/numbers", ORIGIN),
    "parts, zipped": Asked("GET", "/numbers", ORIGIN | ZIPPED),
    "parts of a limited route": Asked("GET", "/numbers/limited", ORIGIN | ZIPPED),
    "whole, zipped in a thread": Asked("GET", "/large", ORIGIN | ZIPPED),
    "whole": Asked("GET", "/large", ORIGIN),
    "parts, zipped in a thread": Asked("GET", "/heavy", ORIGIN | ZIPPED),
    "a head": Asked("HEAD", "/large", ORIGIN),
    "events": Asked("GET", "/events", ORIGIN | ZIPPED),
    "echo": Asked("POST", "/echoed", ORIGIN | ZIPPED, b"x" * 50_000),
    "panic": Asked("GET", "/panics", ORIGIN | ZIPPED),
    "odd": Asked("GET", "/odd", ORIGIN),
    "late": Asked("GET", "/late", ORIGIN),
    "late, zipped": Asked("GET", "/late", ORIGIN | ZIPPED),
    "late, a head": Asked("HEAD", "/late", ORIGIN),
    "mount": Asked("GET", "/site/hello/you-and-all-of-them", ORIGIN | ZIPPED),
    "mount's 404": Asked("GET", "/site/none", ORIGIN | ZIPPED),
    "mount's 405": Asked("DELETE", "/site/echo", ORIGIN | ZIPPED),
}


@pytest.fixture(scope="module")
def pair(modules: Path) -> Iterator[tuple[servers.Server, servers.Server]]:
    """The layers in Rust, and in Python."""
    env = {"PYTHONPATH": str(modules)}
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(servers.data_bridge(f"layered:{name}", "--no-access-log", app_dir=APPS, env=env))
            for name in ("app", "behind")
        )
        yield first, second


def answer(server: servers.Server, asked: Asked) -> tuple[int, list[tuple[str, str]], bytes]:
    """An answer, unzipped, its fields by name; how long a zipped one is depends on who zips it."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=servers.PATIENCE)
    try:
        fields = {"Host": "127.0.0.1"} | asked.headers
        is_whole = not isinstance(asked.body, tuple)
        body = asked.body if is_whole else iter(asked.body)
        connection.request(asked.method, asked.path, body, fields, encode_chunked=not is_whole)
        got = connection.getresponse()
        body = got.read()
        # Whether the connection stays depends on how much of a refused body has come when it is answered.
        passing = {"date"} if is_whole else {"date", "connection"}
        headers = [(name.lower(), value) for name, value in got.getheaders() if name.lower() not in passing]
        if got.headers["content-encoding"] == "gzip":
            assert int(got.headers.get("content-length", len(body))) == len(body)
            headers = [(name, "" if name == "content-length" else value) for name, value in headers]
            body = gzip.decompress(body)
        return got.status, sorted(headers, key=lambda field: field[0]), body
    finally:
        connection.close()


@pytest.mark.parametrize("name", CASES)
def test_rust_answers_as_python_does(pair: tuple[servers.Server, servers.Server], name: str) -> None:
    ours, python = (answer(server, CASES[name]) for server in pair)
    assert ours == python


def test_what_the_layers_add(pair: tuple[servers.Server, servers.Server]) -> None:
    server, _ = pair
    status, headers, body = answer(server, CASES["parts, zipped"])
    fields = dict(headers)
    assert (status, body) == (200, b"line 1\nline 2\nline 3\n")
    assert (fields["content-encoding"], fields["vary"]) == ("gzip", "Accept-Encoding, Origin")
    assert fields["access-control-allow-origin"] == "https://a.example"
    assert dict(answer(server, CASES["whole, zipped in a thread"])[1])["content-encoding"] == "gzip"
    assert dict(answer(server, CASES["parts, zipped in a thread"])[1])["content-encoding"] == "gzip"
    assert "content-encoding" not in dict(answer(server, CASES["events"])[1])
    assert answer(server, CASES["another host"])[2] == b"Invalid host header"


def test_an_answer_that_breaks_off(pair: tuple[servers.Server, servers.Server]) -> None:
    for server in pair:
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            answer(server, Asked("GET", "/broken_off", ORIGIN | ZIPPED))


def decoded(got: tuple[int, list[tuple[str, str]], bytes]) -> tuple[int, dict[str, str], bytes]:
    """An answer, its body as it was before it was encoded; how long that is depends on who encodes it."""
    status, headers, body = got
    fields = dict(headers)
    coding = fields.get("content-encoding")
    if coding in ("br", "zstd"):
        assert int(fields.get("content-length", len(body))) == len(body)
        fields.pop("content-length", None)
        body = READERS[coding]()(body)
    return status, fields, body


@pytest.mark.parametrize("accepted", ["br", "zstd", "gzip, br;q=0.5", "gzip;q=0.5, br, zstd;q=0.9", "*"])
def test_the_coding_that_the_client_likes_best(modules: Path, tmp_path: Path, accepted: str) -> None:
    env = {"PYTHONPATH": str(modules)}
    with ExitStack() as stack:
        ours, python = (
            stack.enter_context(servers.data_bridge(f"layered:{name}", "--no-access-log", app_dir=APPS, env=env))
            for name in ("best", "best_behind")
        )
        paths = ("/numbers", "/large", "/heavy", "/events")
        asked = [Asked("GET", path, {"Accept-Encoding": accepted}) for path in paths]
        wanted = [decoded(answer(python, each)) for each in asked]
        assert "content-encoding" in wanted[0][1]
        with held(ours, tmp_path, lambda path: answer(ours, Asked("GET", path, {}))[2]):
            assert [decoded(answer(ours, each)) for each in asked] == wanted


def test_an_answer_under_way_when_the_body_becomes_too_long(pair: tuple[servers.Server, servers.Server]) -> None:
    for server in pair:
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            answer(server, Asked("POST", "/echoed", ORIGIN, (b"x" * 50_000, b"y" * 50_001)))


def test_an_app_with_an_answer_of_its_own(modules: Path) -> None:
    env = {"PYTHONPATH": str(modules)}
    with servers.data_bridge("layered:own_refusal", "--no-access-log", app_dir=APPS, env=env) as server:
        got = answer(server, Asked("POST", "/length", {}, (b"x" * 6, b"y" * 5)))
        assert (got[0], got[2]) == (413, b"mine")
        assert answer(server, Asked("POST", "/length", {}, (b"x" * 5, b"y" * 5)))[2] == b"10"


def test_https_only(modules: Path) -> None:
    env = {"PYTHONPATH": str(modules)}
    with servers.data_bridge("layered:secure", "--no-access-log", app_dir=APPS, env=env) as server:
        status, headers, _ = answer(server, Asked("GET", "/numbers?a=1", {"Host": "ours"}))
        assert (status, dict(headers)["location"]) == (307, "https://ours/numbers?a=1")


#: What needs the interpreter after all: it answers, or faults are logged by it.
IN_PYTHON = {"too long a body", "panic", "odd"}


def test_no_interpreter_is_needed(pair: tuple[servers.Server, servers.Server], tmp_path: Path) -> None:
    server, _ = pair
    expected = {name: answer(server, CASES[name]) for name in CASES.keys() - IN_PYTHON}
    with held(server, tmp_path, lambda path: answer(server, Asked("GET", path, {}))[2]):
        for name, wanted in expected.items():
            assert answer(server, CASES[name]) == wanted, name
    assert answer(server, Asked("GET", "/python", {}))[2] == b'"python"'


@pytest.fixture(scope="module", params=["app", "bare"])
def limited(request: pytest.FixtureRequest, modules: Path) -> Iterator[servers.Server]:
    """With layers, and without any."""
    env = {"PYTHONPATH": str(modules)}
    with servers.data_bridge(f"layered:{request.param}", "--no-access-log", app_dir=APPS, env=env) as server:
        yield server


def raw(server: servers.Server, path: str) -> bytes:
    """An answer as it comes, but for its date."""
    with socket.create_connection((server.host, server.port), servers.PATIENCE) as client:
        lines = (f"GET {path} HTTP/1.1", "host: ours", "origin: https://a.example", "connection: close", "", "")
        client.sendall("\r\n".join(lines).encode())
        parts = iter(lambda: client.recv(65_536), b"")
        return re.sub(rb"(?i)\r\ndate: [^\r]*", b"", b"".join(parts))


def test_a_late_answer_is_that_of_a_route_in_python(limited: servers.Server, tmp_path: Path) -> None:
    begun, dropped = answer(limited, Asked("GET", "/dropped", {}))[2].split()
    wanted = raw(limited, "/late-python")
    assert wanted.startswith(b"HTTP/1.1 504 Gateway Timeout\r\n")
    with held(limited, tmp_path, lambda path: answer(limited, Asked("GET", path, {}))[2]):
        assert raw(limited, "/late") == wanted
        now = answer(limited, Asked("GET", "/dropped", {}))[2].split()
        assert now == [b"%d" % (int(begun) + 1), b"%d" % (int(dropped) + 1)]


def test_an_answer_that_has_begun_may_take_its_time(limited: servers.Server) -> None:
    connection = http.client.HTTPConnection(limited.host, limited.port, timeout=servers.PATIENCE)

    def parts() -> Iterator[bytes]:
        yield b"first "
        # That one was asked for later, and has the same limit.
        assert answer(limited, Asked("GET", "/late", {}))[0] == 504
        yield b"second"

    with contextlib.closing(connection):
        connection.request("POST", "/begun", parts(), {"Host": "ours"}, encode_chunked=True)
        got = connection.getresponse()
        assert (got.status, got.read()) == (200, b"first second")
