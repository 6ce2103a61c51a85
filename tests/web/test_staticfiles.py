"""Files of a directory: which is found, what is refused, what the client has already."""

from __future__ import annotations

import gzip
import os

import pytest

from tests.web.twins import OURS, http, same, sent_by


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with files of one age, a secret beside it, and links that lead there."""
    root = tmp_path_factory.mktemp("static")
    public = root / "public"
    (public / "sub").mkdir(parents=True)
    (public / "empty").mkdir()
    files = {
        public / "a.txt": "a",
        public / "ä b.css": "c {}",
        public / "index.html": "<index>",
        public / "sub" / "index.html": "<sub>",
        public / "404.html": "<missing>",
        root / "secret": "s",
        root / "public-too" / "x": "x",
    }
    for path, content in files.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        os.utime(path, (1_700_000_000, 1_700_000_000))
    (public / "link").symlink_to(root / "secret")
    (public / "inner").symlink_to(public / "a.txt")
    return public


PATHS = [
    "/",
    "",
    "/a.txt",
    "/a.txt/",
    "//a.txt",
    "/ä b.css",
    "/missing",
    "/sub",
    "/sub/",
    "/sub/index.html",
    "/empty/",
    "/../secret",
    "/sub/../a.txt",
    "/sub/../../secret",
    "/../public-too/x",
    "/link",
    "/inner",
    "/./a.txt",
    "/a\0b",
    "/" + "x" * 300,
    "/a.txt\\",
    "/\\etc\\passwd",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("html", [False, True])
@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_what_is_found(folder, path, html, follow, method):
    async def ask(web):
        app = web.staticfiles.StaticFiles(directory=folder, html=html, follow_symlink=follow)
        return await sent_by(app, http((b"host", b"example.org"), path=path, method=method))

    same(ask)


@pytest.mark.parametrize(
    "headers",
    [
        [(b"if-none-match", b"*")],
        [(b"if-none-match", b"TAG")],
        [(b"if-none-match", b'"x", W/TAG')],
        [(b"if-none-match", b'"x"')],
        [(b"if-modified-since", b"Tue, 14 Nov 2023 22:13:20 GMT")],
        [(b"if-modified-since", b"Tue, 14 Nov 2023 22:13:19 GMT")],
        [(b"if-modified-since", b"Tue, 14 Nov 2023 22:13:21 GMT"), (b"if-none-match", b'"x"')],
        [(b"if-modified-since", b"yesterday")],
        [(b"range", b"bytes=0-0")],
    ],
)
def test_what_the_client_has(folder, headers):
    state = (folder / "a.txt").stat()
    tag = OURS.responses.FileResponse(folder / "a.txt", stat_result=state).headers["etag"].encode()
    sent = [(name, value.replace(b"TAG", tag)) for name, value in headers]
    same(lambda web: sent_by(web.staticfiles.StaticFiles(directory=folder), http(*sent, path="/a.txt")))


def test_below_a_mount(folder):
    async def ask(web):
        app = web.staticfiles.StaticFiles(directory=str(folder), html=True)
        return await sent_by(app, http((b"host", b"a"), path="/static/sub", root_path="/static"))

    same(ask)


def test_directories_of_packages(tmp_path, monkeypatch):
    package = tmp_path / "packaged_files"
    (package / "statics").mkdir(parents=True)
    (package / "other").mkdir()
    (package / "__init__.py").write_text("")
    (package / "statics" / "a").write_text("a")
    (package / "other" / "b").write_text("b")
    monkeypatch.syspath_prepend(tmp_path)

    async def ask(web):
        app = web.staticfiles.StaticFiles(packages=["packaged_files", ("packaged_files", "other")])
        return [await sent_by(app, http(path=path)) for path in ("/a", "/b")]

    same(ask)
    for packages in (["no_such_package_here"], [("packaged_files", "nothing")]):
        same(lambda web, packages=packages: web.staticfiles.StaticFiles(packages=packages))


def test_a_directory_that_is_none(tmp_path, folder):
    missing, file = tmp_path / "missing", folder / "a.txt"
    for path in (missing, file):
        same(lambda web, path=path: web.staticfiles.StaticFiles(directory=path))
        same(lambda web, path=path: sent_by(web.staticfiles.StaticFiles(directory=path, check_dir=False), http()))
    same(lambda web: sent_by(web.staticfiles.StaticFiles(directory=folder), {**http(), "type": "websocket"}))


def test_a_file_that_may_not_be_read(folder, monkeypatch):
    async def ask(web):
        app = web.staticfiles.StaticFiles(directory=folder)

        def refuse(path):
            raise PermissionError

        app.lookup_path = refuse
        return await sent_by(app, http(path="/a.txt"))

    same(ask)


@pytest.fixture
def compressed(tmp_path):
    """A file with compressed forms, one of them older than it."""
    (tmp_path / "a.css").write_text("a" * 100)
    for ending in (".gz", ".br", ".zst"):
        (tmp_path / f"a.css{ending}").write_bytes(gzip.compress(ending.encode()))
    os.utime(tmp_path / "a.css", (2_000_000_000, 2_000_000_000))
    os.utime(tmp_path / "a.css.gz", (2_000_000_000, 2_000_000_000))
    os.utime(tmp_path / "a.css.br", (2_000_000_001, 2_000_000_001))
    os.utime(tmp_path / "a.css.zst", (1_000_000_000, 1_000_000_000))
    return tmp_path


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        (b"gzip, br, zstd", "br"),
        (b"gzip", "gzip"),
        (b"br;q=0.5, gzip", "gzip"),
        (b"zstd", None),
        (b"*", "br"),
        (b"br;q=0, *;q=0.1", "gzip"),
        (b"identity", None),
        (b"gzip;q=0", None),
    ],
)
def test_compressed_beforehand(compressed, accepted, expected):
    import asyncio

    app = OURS.staticfiles.StaticFiles(directory=compressed, precompressed=True)
    start, body = asyncio.run(sent_by(app, http((b"accept-encoding", accepted), path="/a.css")))
    fields = {name.decode(): value.decode() for name, value in start["headers"]}
    ending = {"br": ".br", "gzip": ".gz", None: ""}[expected]
    file = compressed / f"a.css{ending}"
    assert fields.get("content-encoding") == expected
    assert fields["vary"] == "Accept-Encoding"
    assert fields["content-type"] == "text/css; charset=utf-8"
    assert fields["content-length"] == str(file.stat().st_size)
    assert body["body"] == file.read_bytes()
    known = http((b"accept-encoding", accepted), (b"if-none-match", fields["etag"].encode()), path="/a.css")
    start, _ = asyncio.run(sent_by(app, known))
    assert start["status"] == 304
    assert (b"vary", b"Accept-Encoding") in start["headers"]


def test_compressed_forms_are_asked_for_by_name_too(compressed):
    import asyncio

    app = OURS.staticfiles.StaticFiles(directory=compressed, precompressed=True)
    start, _ = asyncio.run(sent_by(app, http(path="/a.css.gz")))
    assert start["status"] == 200
    plain = OURS.staticfiles.StaticFiles(directory=compressed)
    start, _ = asyncio.run(sent_by(plain, http((b"accept-encoding", b"gzip"), path="/a.css")))
    assert b"vary" not in dict(start["headers"])
