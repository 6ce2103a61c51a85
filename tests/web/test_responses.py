"""Responses, by the messages that they send."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import enum
import json
import os
import uuid
import warnings
from xml.etree import ElementTree as ET

import pydantic
import pytest

from tests.web.twins import OURS, THEIRS, http, receiving, same, sent_by

LATIN = "text/plain; charset=latin-1"
KINDS = ["Response", "PlainTextResponse", "HTMLResponse", "JSONResponse"]
OLD = {"spec_version": "2.0"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content", [None, "", "ä", b"\xff", memoryview(b"abc"), memoryview(b"abcd")[::2], 1])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"status_code": 204},
        {"status_code": 304},
        {"status_code": 101},
        {"media_type": "text/x"},
        {"media_type": LATIN},
        {"headers": {"Content-Type": "x", "X-A": "ä"}},
        {"headers": {"Content-Length": "9"}},
    ],
)
def test_a_response(kind, content, more):
    async def send(web):
        response = getattr(web.responses, kind)(content, **more)
        seen = await sent_by(response, http())
        denial = await sent_by(response, {**http(), "type": "websocket"})
        return seen, denial, response.status_code, response.media_type, dict(response.headers)

    same(send)


class Colour(str, enum.Enum):  # noqa: UP042 - as users write it
    RED = "red"


class Number(enum.IntEnum):
    ONE = 1


class Model(pydantic.BaseModel):
    a: int


@dataclasses.dataclass
class Record:
    a: int


class Text(str):
    __slots__ = ()


DOCUMENTS = [
    {},
    [],
    {"a": [1, -2.5, True, False, None, 'ä\u2028\x00\x1f\x7f"\\/\b\f\n\r\t😀']},
    {2: "a", 2.5: "b", None: "c", True: "d", False: "e"},
    (1, (2,)),
    [0.1, 1e16, 1e-7, 1e22, 1.0, -0.0, 5e-324, 123456789012345680.0, 1e100, 2**64, -(2**63), 10**30],
    float("nan"),
    [float("inf")],
    {"a": float("-inf")},
    "\ud800",
    {"\udfff": 1},
    object(),
    {1, 2},
    b"bytes",
    {(1, 2): 3},
    dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    uuid.UUID(int=1),
    [Model(a=1), Model(a=2)],
    Record(1),
    Colour.RED,
    {Colour.RED: Colour.RED},
    Number.ONE,
    {Number.ONE: Number.ONE},
    Text("x"),
    {Text("x"): Text("y")},
    {"a": 1, Text("a"): 2},
    "text",
    12,
    1.5,
    True,
    None,
    [[[[[[]]]]]],
    {"ключ": "значение"},
    "x" * 10_000,
    [{"id": index, "name": f"n{index}", "price": index / 7} for index in range(300)],
]


@pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda document: repr(document)[:30].encode("ascii", "replace").decode()
)
def test_json_is_pythons(document):
    same(lambda web: bytes(web.responses.JSONResponse(document).body))


def test_json_that_never_ends():
    endless = []
    endless.append(endless)
    same(lambda web: web.responses.JSONResponse(endless))


def test_redirects_and_headers():
    async def send(web):
        response = web.responses.RedirectResponse("/ä b?c=[d]#e", 303, {"X-A": "1"})
        response.headers["x-b"] = "2"
        other = web.responses.RedirectResponse(web.datastructures.URL("http://a/b"))
        return await sent_by(response, http()), await sent_by(other, http())

    same(send)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"value": "b c;", "max_age": 10, "path": None, "samesite": None},
        {"expires": dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "domain": "x.example", "secure": True, "httponly": True},
        {"expires": "Thu, 01 Jan 2026 00:00:00 GMT"},
        {"samesite": "Strict"},
        {"samesite": "sometimes"},
        {"partitioned": True},
        {"value": "ä"},
        {"value": "\u20ac"},
    ],
)
def test_cookies(more, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 0.0)  # a deleted cookie says when: not a second later for one of them

    def send(web):
        response = web.responses.Response()
        response.set_cookie("a", **more)
        response.delete_cookie("a", domain="x.example", httponly=True)
        return response.raw_headers

    same(send)


async def chunks(*content):
    for chunk in content:
        yield chunk


@pytest.mark.parametrize("content", [["a", b"b", memoryview(b"c")], [], ["ä"], [1]])
@pytest.mark.parametrize("kind", ["http", "websocket", "old"])
@pytest.mark.parametrize("is_async", [True, False])
def test_streams(content, kind, is_async):
    async def send(web):
        done = []

        async def background():
            done.append(True)

        body = chunks(*content) if is_async else iter(content)
        response = web.responses.StreamingResponse(body, 201, {"x": "y"}, "text/plain", background)
        scope = http(asgi=OLD) if kind == "old" else {**http(), "type": kind}
        return await sent_by(response, scope), done

    same(send)


@pytest.mark.parametrize("version", ["2.0", "2.4"])
def test_a_stream_whose_client_leaves(version):
    async def send(web):
        seen = []
        left = asyncio.Event()

        async def body():
            try:
                for number in range(3):
                    seen.append(number)
                    yield b"x"
                    if version == "2.0":
                        left.set()
                        await asyncio.Event().wait()
            finally:
                seen.append("closed")

        async def receive():
            await left.wait()
            return {"type": "http.disconnect"}

        async def send_message(message):
            if version == "2.4" and message.get("body"):
                raise OSError("gone")

        async def background():
            seen.append("background")

        response = web.responses.StreamingResponse(body(), background=background)
        try:
            await response(http(asgi={"spec_version": version}), receive, send_message)
        except Exception as error:  # noqa: BLE001
            seen.append(type(error).__name__.removesuffix("ed"))
        return [step for step in seen if step != "closed"], "closed" in seen

    steps, closed = asyncio.run(send(OURS))
    assert closed, "a generator that is left is closed, not only collected"
    assert steps == asyncio.run(send(THEIRS))[0]


def test_an_iterator_that_is_left_is_closed():
    async def send():
        closed = []

        def body():
            try:
                while True:
                    yield b"x"
            finally:
                closed.append(True)

        async def send_message(message):
            if message.get("body"):
                raise OSError("gone")

        with pytest.raises(OSError, match="gone"):
            await OURS.responses.StreamingResponse(body())(http(), None, send_message)
        return closed

    assert asyncio.run(send()) == [True]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "a file.txt"
    path.write_bytes(bytes(range(256)) * 1000)
    os.utime(path, (1_700_000_000, 1_700_000_000.5))
    return path


def tag_of(file):
    return OURS.responses.FileResponse(file, stat_result=file.stat()).headers["etag"]


RANGES = [
    "bytes=0-0",
    "bytes=0-",
    "bytes=-1",
    "bytes=-999999999",
    "bytes=100-199",
    "bytes=0-65535",
    "bytes=0-65536",
    "bytes=255999-999999",
    "bytes=256000-",
    "bytes=9-5",
    "bytes=5-4",
    "bytes=a-b",
    "bytes=-",
    "bytes=",
    "bytes= 1 - 2 ",
    "bytes=0-1,5-6",
    "bytes=5-6,0-1",
    "bytes=0-5,3-9,20-30",
    "bytes=0-1, -, x, 5-6",
    "bytes=0-70000,80000-150000",
    "items=0-1",
    "bytes",
    "BYTES =0-1",
    "bytes=--5",
    "bytes=1-2-3",
    "bytes=0-1," * 200,
    "bytes=+1-2",
]


def without_boundary(messages):
    """The parts of a multipart response are between random lines."""
    fields = dict(messages[0]["headers"])
    _, found, boundary = fields[b"content-type"].partition(b"boundary=")
    return [
        [(name, value.replace(boundary, b"B") if found else value) for name, value in messages[0]["headers"]],
        messages[0]["status"],
        b"".join(message["body"] for message in messages[1:]).replace(boundary, b"B") if found else messages[1:],
    ]


@pytest.mark.parametrize("wanted", RANGES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("asgi", [{"spec_version": "2.4"}, OLD])
def test_ranges(file, wanted, method, asgi):
    async def send(web):
        scope = http((b"range", wanted.encode()), method=method, asgi=asgi)
        return without_boundary(await sent_by(web.responses.FileResponse(file), scope))

    same(send)


@pytest.mark.parametrize(
    "condition",
    ["tag", "W/tag", '"x"', "Tue, 14 Nov 2023 22:13:20 GMT", "Tue, 14 Nov 2023 22:13:21 GMT", ""],
)
def test_a_range_of_what_the_client_has(file, condition):
    value = condition.replace("tag", tag_of(file))

    async def send(web):
        scope = http((b"range", b"bytes=0-9"), (b"if-range", value.encode()))
        return await sent_by(web.responses.FileResponse(file), scope)

    same(send)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"filename": "ä.txt"},
        {"filename": "a.html", "content_disposition_type": "inline"},
        {"filename": 'a"b'},
        {"status_code": 404},
        {"media_type": "text/x"},
        {"headers": {"ETag": '"mine"', "Content-Disposition": "inline", "Accept-Ranges": "none"}},
    ],
)
@pytest.mark.parametrize("kind", ["GET", "HEAD", "websocket", "by path", "old"])
def test_files(file, more, kind):
    async def send(web):
        done = []

        async def background():
            done.append(True)

        response = web.responses.FileResponse(file, background=background, **more)
        scope = http(method="HEAD" if kind == "HEAD" else "GET")
        scope |= {"type": "websocket"} if kind == "websocket" else {}
        scope |= {"extensions": {"http.response.pathsend": {}}} if kind == "by path" else {}
        scope |= {"asgi": OLD} if kind == "old" else {}
        return await sent_by(response, scope), done

    same(send)


def test_files_that_are_none(tmp_path):
    same(lambda web: sent_by(web.responses.FileResponse(tmp_path / "missing"), http()))
    same(lambda web: sent_by(web.responses.FileResponse(tmp_path), http()))


def test_a_file_that_shrinks(file, tmp_path):
    short = tmp_path / "short"
    short.write_bytes(b"abc")
    scope = http((b"range", b"bytes=0-1,10-20"))
    same(lambda web: sent_by(web.responses.FileResponse(short, stat_result=file.stat()), scope))


def test_a_file_whose_client_leaves(file):
    async def send(web):
        count = 0

        async def send_message(message):
            nonlocal count
            count += 1
            await asyncio.sleep(0)

        response = web.responses.FileResponse(file)
        response.chunk_size = 1
        await response(http(asgi=OLD), receiving(), send_message)
        return count < 1000

    assert same(send) is True


def test_libraries_that_are_named():
    import fastapi.responses as theirs

    content = {"a": [1, "ä", None]}
    for name in ("UJSONResponse", "ORJSONResponse"):
        with pytest.warns(UserWarning, match="is deprecated") as ours_warned:
            ours = outcome_of(getattr(OURS.responses, name), content)
        with pytest.warns(UserWarning, match="is deprecated") as theirs_warned:
            assert ours == outcome_of(getattr(theirs, name), content)
        assert str(ours_warned[0].message) == str(theirs_warned[0].message)


def outcome_of(kind, content):
    try:
        return kind(content).body
    except AssertionError as error:
        return str(error)


def test_xml():
    element = ET.fromstring("<a b='ä'>c</a>")
    written = "<?xml version='1.0' encoding='utf-8'?>\n<a b=\"ä\">c</a>".encode()
    kind = OURS.responses.XMLResponse
    assert kind(element).body == kind(ET.ElementTree(element)).body == written
    assert kind("<a/>").body == kind(b"<a/>").body == b"<a/>"
    assert kind("<a/>").headers["content-type"] == "application/xml"


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"data_str": "a\nb\r\nc\rd"},
        {"data_str": ""},
        {"event": "e", "data_str": "x", "id": "1", "retry": 5, "comment": "c\nd"},
        {"comment": ""},
    ],
)
def test_events(event):
    from fastapi.sse import format_sse_event

    assert OURS.sse.format_sse_event(**event) == format_sse_event(**event)


@pytest.mark.parametrize(
    "event",
    [
        {"data": {"a": 1}, "event": "x", "id": "1", "retry": 0, "comment": "c"},
        {"data": 1, "raw_data": "x"},
        {"event": "a\nb"},
        {"id": "a\0"},
        {"id": "a\r"},
        {"retry": -1},
    ],
)
def test_an_event_is_checked(event):
    from fastapi.sse import ServerSentEvent
    from pydantic import ValidationError

    def made(kind):
        try:
            return kind(**event).model_dump()
        except ValidationError as error:
            return [(item["loc"], item["msg"]) for item in error.errors()]

    assert made(OURS.sse.ServerSentEvent) == made(ServerSentEvent)


def test_what_follows_a_response():
    async def send(web):
        order = []

        async def coroutine(*args, **kwargs):
            order.append((args, kwargs))

        def function(*args):
            order.append(args)

        tasks = web.background.BackgroundTasks()
        tasks.add_task(coroutine, 1, a=2)
        tasks.add_task(function, 3)
        tasks.tasks.append(web.background.BackgroundTask(function, 4))

        async def send_message(message):
            order.append(message["type"])

        await web.responses.Response("x", background=tasks)(http(), None, send_message)
        return order

    assert len(same(send)) == 5


def test_bodies_of_bytes_that_change():
    assert OURS.responses.Response(bytearray(b"ab")).body == b"ab"
    with warnings.catch_warnings():
        assert json.loads(OURS.responses.JSONResponse({"a": 1}).body) == {"a": 1}
