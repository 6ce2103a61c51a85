"""Compression in front of any app (`--compress`): what is compressed, by what, and that streams stay streams."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.support import servers
from tests.support.codings import READERS

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parent / "apps"


@pytest.fixture(scope="module")
def server() -> Iterator[servers.Server]:
    with servers.data_bridge("shrinking:asgi", "--compress", app_dir=APPS) as running:
        yield running


def ask(
    server: servers.Server, path: str, accepted: str, *, method: str = "GET", http2: bool = False, **headers: str
) -> tuple[httpx.Response, bytes]:
    """Give the response and its body as it came over the wire."""
    with (
        httpx.Client(timeout=servers.PATIENCE, http1=not http2, http2=http2) as client,
        client.stream(method, server.url + path, headers={"accept-encoding": accepted, **headers}) as response,
    ):
        return response, b"".join(response.iter_raw())


def read(response: httpx.Response, body: bytes) -> bytes:
    text: bytes = READERS[response.headers["content-encoding"]]()(body)
    return text


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
@pytest.mark.parametrize("path", ["/whole", "/parts"])
@pytest.mark.parametrize("http2", [False, True])
def test_what_shrinks_is_compressed(server: servers.Server, coding: str, path: str, http2: bool) -> None:
    plain, expected = ask(server, path, "identity", http2=http2)
    assert "content-encoding" not in plain.headers
    response, body = ask(server, path, coding, http2=http2)
    assert (response.headers["content-encoding"], read(response, body)) == (coding, expected)
    assert len(body) < len(expected) / 4
    for each in (plain, response):
        assert each.headers["vary"] == "accept-encoding"
    assert (plain.headers["etag"], response.headers["etag"]) == ('"a"', 'W/"a"')


@pytest.mark.parametrize("app", ["wsgi", "own", "fastapi_app"])
def test_every_kind_of_app(app: str) -> None:
    with servers.data_bridge(f"shrinking:{app}", "--compress", app_dir=APPS) as server:
        for path in ("/whole", "/constant") if app == "own" else ("/whole",):
            response, body = ask(server, path, "gzip;q=0.5, zstd")
            assert response.headers["content-encoding"] == "zstd"
            assert json.loads(read(response, body)) == ["some text"] * 1000


@pytest.mark.parametrize("http2", [False, True])
def test_a_wsgi_app_that_declares_its_length(http2: bool) -> None:
    with servers.data_bridge("shrinking:sized_wsgi", "--compress", app_dir=APPS) as server:
        for path in ("/whole", "/parts"):
            plain, expected = ask(server, path, "identity", http2=http2)
            assert plain.headers["content-length"] == str(len(expected))
            response, body = ask(server, path, "br", http2=http2)
            assert read(response, body) == expected
            head, nothing = ask(server, path, "identity", method="HEAD", http2=http2)
            assert (head.headers["content-length"], nothing) == (str(len(expected)), b"")


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("br;q=0.1, gzip;q=0.2", "gzip"),
        ("*, zstd;q=0", "br"),
        ("gzip;q=0", None),
        ("deflate", None),
        ("", None),
    ],
)
def test_the_client_chooses(server: servers.Server, accepted: str, coding: str | None) -> None:
    response, _ = ask(server, "/whole", accepted)
    assert response.headers.get("content-encoding") == coding


@pytest.mark.parametrize("path", ["/short", "/image", "/encoded", "/part", "/untouchable", "/nothing"])
def test_what_is_left_alone(server: servers.Server, path: str) -> None:
    plain, expected = ask(server, path, "identity")
    response, body = ask(server, path, "gzip, br, zstd")
    assert body == expected
    for name in ("content-encoding", "vary", "etag", "content-length"):
        assert response.headers.get(name) == plain.headers.get(name), name


def test_a_head_says_no_coding(server: servers.Server) -> None:
    response, body = ask(server, "/whole", "gzip", method="HEAD")
    assert (body, "content-encoding" in response.headers) == (b"", False)
    assert response.headers["vary"] == "accept-encoding"


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
@pytest.mark.parametrize("http2", [False, True])
def test_each_event_can_be_read_when_it_was_sent(server: servers.Server, coding: str, http2: bool) -> None:
    # The app sends the next event once the client has said that it has read the last one.
    with (
        httpx.Client(timeout=servers.PATIENCE, http1=not http2, http2=http2) as client,
        httpx.Client(timeout=servers.PATIENCE) as other,
        client.stream("GET", f"{server.url}/events", headers={"accept-encoding": coding}) as response,
    ):
        assert response.headers["content-encoding"] == coding
        decode, text = READERS[coding](), b""
        parts = response.iter_raw()
        for number in range(3):
            while not text.endswith(b"data: %d\n\n" % number):
                text += decode(next(parts))
            other.post(f"{server.url}/seen", headers={"accept-encoding": "identity"})
        assert b"".join(map(decode, parts)) == b""


def test_files_are_sent_as_they_are_unless_something_comes_before(server: servers.Server) -> None:
    response, body = ask(server, "/file", "gzip")
    assert ("content-encoding" in response.headers, body) == (False, (APPS / "shrinking.py").read_bytes())
    response, body = ask(server, "/before-file", "gzip")
    assert read(response, body) == b"before" + (APPS / "shrinking.py").read_bytes()


@pytest.mark.parametrize("path", ["/too-long", "/too-short"])
def test_what_contradicts_its_length_breaks_off(server: servers.Server, path: str) -> None:
    with contextlib.suppress(httpx.RemoteProtocolError):
        response, _ = ask(server, path, "gzip")
        assert path == "/too-long"
        assert response.status_code == 200
    server.wait_for("Content-Length" if path == "/too-long" else "shorter")


def test_without_the_setting_nothing_is_compressed() -> None:
    with servers.data_bridge("shrinking:asgi", app_dir=APPS) as server:
        response, _ = ask(server, "/whole", "gzip, br, zstd")
        assert not {"content-encoding", "vary"} & set(response.headers)
    with servers.data_bridge("shrinking:asgi", "--compress", "--compress-min-size", "5", app_dir=APPS) as server:
        response, _ = ask(server, "/short", "gzip")
        assert response.headers["vary"] == "accept-encoding"
