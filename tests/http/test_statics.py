"""Folders in front of an app (`--static`): what Starlette's StaticFiles answers, and more conditions."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import http.client
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parent / "apps"
TEXT = b"body { color: red }\n" * 5000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.txt").write_text("secret")
    root = outside / "dist"
    (root / "sub").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("hidden")
    (root / ".env").write_text("hidden")
    (root / "style.css").write_bytes(TEXT)
    (root / "digits.txt").write_bytes(b"0123456789")
    (root / "empty.js").write_bytes(b"")
    (root / "of no kind").write_bytes(b"?")
    (root / "index.html").write_text("<p>root</p>")
    (root / "sub" / "index.html").write_text("<p>sub</p>")
    (root / "app.js").write_text("plain")
    (root / "app.js.gz").write_bytes(gzip.compress(b"packed"))
    (root / "app.js.br").write_bytes(b"as brotli")
    (root / "link.txt").symlink_to("digits.txt")
    (root / "out.txt").symlink_to("../secret.txt")
    (root / "up").symlink_to("..")
    os.mkfifo(root / "pipe")
    return root


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[servers.Server]:
    options = ("--static", f"/assets={folder}", "--static-index", "index.html")
    with servers.data_bridge("plain:app", *options, app_dir=APPS) as running:
        yield running


def ask(server: servers.Server, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    """Ask for a path as it is: neither the client's coding nor its idea of a path comes between."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with httpx.Client(timeout=servers.PATIENCE) as client:
        request = client.build_request(method, server.url, headers={"accept-encoding": "identity", **named})
        request.url = request.url.copy_with(raw_path=path.encode())
        return client.send(request)


def starlette(folder: Path, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    """What Starlette's StaticFiles answers."""
    app = Starlette(routes=[Mount("/assets", StaticFiles(directory=folder, html=True))])
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def go() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, headers={"accept-encoding": "identity", **named})

    return asyncio.run(go())


@pytest.mark.parametrize(
    "path", ["/assets/style.css", "/assets/digits.txt", "/assets/empty.js", "/assets/", "/assets/sub/"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_file_is_what_starlette_makes_of_it(server: servers.Server, folder: Path, path: str, method: str) -> None:
    ours, theirs = ask(server, path, method), starlette(folder, path, method)
    assert (ours.status_code, ours.content) == (theirs.status_code, theirs.content) == (200, theirs.content)
    for name in ("content-type", "content-length", "last-modified", "accept-ranges"):
        assert ours.headers[name] == theirs.headers[name], name
    assert ours.headers["etag"].startswith('"')


@pytest.mark.parametrize(
    "asked", ["bytes=0-0", "bytes=2-5", "bytes=-3", "bytes=7-", "bytes=3-300", "bytes=20-", "bytes=0-1,5-6"]
)
def test_ranges_are_what_starlette_makes_of_them(server: servers.Server, folder: Path, asked: str) -> None:
    ours = ask(server, "/assets/digits.txt", range=asked)
    theirs = starlette(folder, "/assets/digits.txt", range=asked)
    assert ours.status_code == theirs.status_code
    assert ours.headers.get("content-range") == theirs.headers.get("content-range")
    if "," not in asked:
        assert ours.content == (theirs.content if ours.status_code == 206 else b"")


def test_several_ranges_are_parts_of_one_body(server: servers.Server) -> None:
    response = ask(server, "/assets/digits.txt", range="bytes=8-9,0-1")
    kind, _, boundary = response.headers["content-type"].partition("; boundary=")
    assert (response.status_code, kind) == (206, "multipart/byteranges")
    part = f"--{boundary}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-range: bytes {{}}/10\r\n\r\n{{}}\r\n"
    assert response.text == part.format("8-9", "89") + part.format("0-1", "01") + f"--{boundary}--\r\n"


def test_conditions(server: servers.Server) -> None:
    path = "/assets/digits.txt"
    headers = ask(server, path).headers
    tag, modified = headers["etag"], headers["last-modified"]
    same = ask(server, path, if_none_match=f'W/{tag}, "x"')
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert ask(server, path, if_modified_since=modified).status_code == 304
    assert ask(server, path, "HEAD", if_none_match="*").status_code == 304
    assert ask(server, path, if_match='"x"').status_code == 412
    assert ask(server, path, if_match=tag).status_code == 200
    assert ask(server, path, if_unmodified_since="Thu, 01 Jan 1970 00:00:00 GMT").status_code == 412
    assert ask(server, path, range="bytes=0-1", if_range=tag).content == b"01"
    assert ask(server, path, range="bytes=0-1", if_range=modified).content == b"01"
    assert ask(server, path, range="bytes=0-1", if_range='"x"').content == b"0123456789"


def test_a_packed_neighbour_answers_who_takes_it(server: servers.Server) -> None:
    def packed(accepted: str) -> tuple[str | None, str]:
        with (
            httpx.Client(timeout=servers.PATIENCE) as client,
            client.stream("GET", f"{server.url}/assets/app.js", headers={"accept-encoding": accepted}) as response,
        ):
            raw = b"".join(response.iter_raw())
            assert response.headers["vary"] == "accept-encoding"
            assert response.headers["content-type"] == ask(server, "/assets/empty.js").headers["content-type"]
            tags.add(response.headers["etag"])
            text = gzip.decompress(raw) if response.headers.get("content-encoding") == "gzip" else raw
            return response.headers.get("content-encoding"), text.decode()

    tags: set[str] = set()
    assert packed("gzip, br") == ("br", "as brotli")
    assert packed("gzip, br;q=0.5") == ("gzip", "packed")
    assert packed("zstd") == (None, "plain")
    assert packed("br;q=0, gzip;q=0") == (None, "plain")
    assert len(tags) == 3


@pytest.mark.parametrize(
    "path",
    [
        "/assets/missing",
        "/assets/../secret.txt",
        "/assets/%2e%2e/secret.txt",
        "/assets/sub/%2e%2e%2f%2e%2e%2fsecret.txt",
        "/assets/sub/..%5c..%5c..%5csecret.txt",
        "/assets//secret.txt",
        "/assets/up/secret.txt",
        "/assets/out.txt",
        "/assets/.env",
        "/assets/.git/config",
        "/assets/%2eenv",
        "/assets/pipe",
        "/assets/style.css/",
        "/assets/style.css%00.txt",
        "/assets/style.css/more",
    ],
)
def test_what_is_no_file_beneath_the_folder_is_not_found(server: servers.Server, path: str) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=servers.PATIENCE)) as client:
        client.request("GET", path)  # as it is: httpx would resolve the dots
        response = client.getresponse()
        assert (response.status, response.read()) == (404, b"Not Found")


def test_links_within_are_followed_and_unknown_kinds_are_bytes(server: servers.Server) -> None:
    assert ask(server, "/assets/link.txt").content == b"0123456789"
    assert ask(server, "/assets/of%20no%20kind").headers["content-type"] == "application/octet-stream"


def test_other_methods_and_the_rest_of_the_app(server: servers.Server) -> None:
    refused = ask(server, "/assets/style.css", "POST")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    assert ask(server, "/pid").text == str(server.process.pid)
    assert ask(server, "/assetsandmore").content == b""


@pytest.mark.parametrize(("path", "location"), [("/assets", "/assets/"), ("/assets/sub?a=%20", "/assets/sub/?a=%20")])
def test_a_folder_is_redirected_to_its_slash(server: servers.Server, path: str, location: str) -> None:
    response = ask(server, path)
    assert (response.status_code, response.headers["location"]) == (307, location)


def test_without_an_index_folders_are_not_found(folder: Path) -> None:
    options = ("--static-path-route", "/a/b", "--static-path-mount", str(folder), "--static-path-expires", "60")
    with servers.data_bridge("plain:app", *options, app_dir=APPS) as server:
        assert ask(server, "/a/b/").status_code == ask(server, "/a/b/sub").status_code == 404
        assert ask(server, "/a/b/digits.txt").headers["cache-control"] == "public, max-age=60"


def test_at_the_root_the_app_has_what_is_no_file(folder: Path) -> None:
    options = ("--static", f"/={folder}", "--static-index", "index.html")
    with servers.data_bridge("plain:app", *options, app_dir=APPS) as server:
        assert ask(server, "/").text == "<p>root</p>"
        assert ask(server, "/digits.txt").content == b"0123456789"
        assert ask(server, "/pid").text == str(server.process.pid)
        assert ask(server, "/missing").content == ask(server, "/digits.txt", "POST").content == b""


def test_http2_and_a_client_that_reads_slowly(server: servers.Server) -> None:
    with httpx.Client(http1=False, http2=True, timeout=servers.PATIENCE) as client:
        assert client.get(f"{server.url}/assets/style.css").content == TEXT
    with contextlib.closing(socket.create_connection(("127.0.0.1", server.port))) as slow:
        slow.sendall(b"GET /assets/style.css HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        got = b""
        while part := slow.recv(1000):
            got += part
    assert got.endswith(b"\r\n\r\n" + TEXT)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("assets=.", "static: a path begins with a slash, not as 'assets' does"),
        ("/assets", "static must be /path=folder, not '/assets'"),
        ("/assets=/nowhere/at/all", "static: '/nowhere/at/all' (for /assets) is no folder"),
    ],
)
def test_what_cannot_be_served_is_refused_at_the_start(value: str, said: str) -> None:
    ended = servers.command("run", "plain:app", "--port", "0", "--static", value, folder=APPS)
    assert (ended.returncode, said in ended.stderr) == (2, True), ended.stderr


def test_it_is_counted_as_one_route(folder: Path) -> None:
    options: Any = ("--static", f"/assets={folder}", "--metrics-path", "/metrics")
    with servers.data_bridge("plain:app", *options, app_dir=APPS) as server:
        ask(server, "/assets/digits.txt")
        assert 'route="/assets/{path}"' in ask(server, "/metrics").text
