"""The web layer's objects through real servers: ours on our package, uvicorn with FastAPI. Every answer is equal."""

from __future__ import annotations

import gzip
import os
import random
from pathlib import Path

import httpx
import pytest
import websockets.exceptions
import websockets.sync.client

from tests.support import servers

APPS = Path(__file__).parent / "apps"
LARGE = random.Random(1).randbytes(3_000_000)
#: uvicorn closes a connection after five idle seconds, which a loaded machine needs for a test.
NO_KEEP_ALIVE = httpx.Limits(max_keepalive_connections=0)
#: Fields that are the server's, or that name its port.
OF_THE_SERVER = {"date", "server", "transfer-encoding", "connection", "location"}


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    (folder / "data.bin").write_bytes(bytes(range(256)) * 800)
    (folder / "page.html").write_text("<p>{{ text }} {{ url_for('page') | length }}")
    (folder / "index.html").write_text("<index>")
    (folder / "style.css").write_text("a {}")
    (folder / "style.css.gz").write_bytes(gzip.compress(b"a {}"))
    for path in folder.iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))
    env = {"SERVED_FOLDER": str(folder)}
    with (
        servers.data_bridge("served:app", app_dir=APPS, env=env) as ours,
        servers.uvicorn("served:theirs", app_dir=APPS, env=env) as theirs,
        httpx.Client(base_url=ours.url, limits=NO_KEEP_ALIVE) as our_client,
        httpx.Client(base_url=theirs.url, limits=NO_KEEP_ALIVE) as their_client,
    ):
        yield our_client, their_client


CASES = [
    ("POST", "/form", {"data": {"a": "1", "b": "ä +&"}}),
    ("POST", "/form", {"data": {"a": ["1", "2"]}}),
    ("POST", "/form", {"data": {f"f{number}": "x" for number in range(6)}}),
    ("POST", "/form", {"data": {"a": "1"}, "files": {"f": ("n.txt", b"text", "text/plain")}}),
    ("POST", "/form", {"content": b"no form", "headers": {"content-type": "multipart/form-data; boundary=b"}}),
    ("POST", "/form", {"content": b"no form", "headers": {"content-type": "multipart/form-data"}}),
    ("POST", "/form", {"content": b"{}", "headers": {"content-type": "application/json"}}),
    ("POST", "/upload", {"files": {"file": ("large", LARGE)}, "data": {"note": "ä"}}),
    ("POST", "/upload", {"files": [("file", ("a", b"1")), ("more", ("b", b"22")), ("more", ("c", b""))]}),
    ("POST", "/upload", {"data": {"note": "no file"}}),
    ("POST", "/upload", {"data": {"file": "text"}}),
    ("POST", "/bytes", {"files": {"file": LARGE}}),
    ("POST", "/bytes", {}),
    *(
        ("GET", "/file", {"headers": {"range": wanted}})
        for wanted in ("bytes=0-9", "bytes=-5", "bytes=9-1", "bytes=999999-")
    ),
    ("GET", "/file", {}),
    ("HEAD", "/file", {}),
    ("GET", "/page", {}),
    ("GET", "/stream", {}),
    ("HEAD", "/stream", {}),
    ("GET", "/lines", {}),
    ("GET", "/cookie", {"headers": {"cookie": 'a=1; b="\\303\\244"'}}),
    ("GET", "/away", {}),
    ("POST", "/body", {"json": [1, 2, 3]}),
    ("GET", "/static/", {}),
    ("GET", "/static", {}),
    ("GET", "/static/style.css", {"headers": {"accept-encoding": "gzip"}}),
    ("GET", "/static/data.bin", {"headers": {"if-modified-since": "Tue, 14 Nov 2023 22:13:20 GMT"}}),
    ("HEAD", "/static/data.bin", {}),
    ("GET", "/static/missing", {}),
    ("POST", "/static/style.css", {}),
    ("GET", "/static/%2e%2e/secret", {}),
]


@pytest.mark.parametrize(("method", "path", "more"), CASES)
def test_an_answer(clients, method, path, more):
    answers = []
    for client in clients:
        answer = client.request(method, path, **more)
        fields = {(name, value) for name, value in answer.headers.multi_items() if name not in OF_THE_SERVER}
        answers.append((answer.status_code, fields, answer.content))
    assert answers[0] == answers[1]


def test_several_ranges(clients):
    parts = []
    for client in clients:
        answer = client.get("/file", headers={"range": "bytes=0-1,500-600"})
        boundary = answer.headers["content-type"].partition("boundary=")[2]
        parts.append((answer.status_code, answer.headers["content-length"], answer.text.replace(boundary, "B")))
    assert parts[0] == parts[1]
    assert parts[0][0] == 206


def talk(client):
    url = str(client.base_url).replace("http", "ws")
    with websockets.sync.client.connect(f"{url}/talk", subprotocols=["chat"]) as socket:
        seen = [socket.subprotocol]
        for text in ("ä", "b"):
            socket.send(text)
            seen.append(socket.recv())
        socket.send("end")
        try:
            socket.recv()
        except websockets.exceptions.ConnectionClosed as closed:
            seen.append((closed.rcvd.code, closed.rcvd.reason))
    try:
        websockets.sync.client.connect(f"{url}/denied")
    except websockets.exceptions.InvalidStatus as refused:
        seen.append((refused.response.status_code, refused.response.body))
    return seen


def test_a_talk(clients):
    ours, theirs = map(talk, clients)
    assert ours == theirs
    assert len(ours) == 5
