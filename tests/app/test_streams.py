"""Endpoints that yield, beside FastAPI: JSON lines, server-sent events, what breaks off in the middle."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any

import pytest
from pydantic import BaseModel
from tests.app.twins import assert_same, get, of
from tests.support.asgi import scope
from tests.support.servers import PATIENCE

import data_bridge.fastapi
from data_bridge import routing


class Item(BaseModel):
    name: str
    size: int | None = None


def lines(fastapi):
    app = fastapi.FastAPI()

    @app.get("/typed")
    async def typed() -> AsyncIterable[Item]:
        for name in "ab":
            yield Item(name=name)

    @app.get("/sync")
    def sync() -> Iterable[Item]:
        yield {"name": "a", "size": 3}
        yield Item(name="b")

    @app.get("/less", response_model_exclude_none=True, response_model_by_alias=False)
    async def less() -> AsyncIterator[Item]:
        yield Item(name="a")

    @app.get("/untyped")
    async def untyped():
        yield {"a": (1, 2)}
        yield Item(name="c")
        yield float("inf")

    @app.get("/none")
    def none() -> Iterator[int]:
        yield from ()

    return app


def events(fastapi):
    app = fastapi.FastAPI()
    event, response = of(fastapi, "sse").ServerSentEvent, of(fastapi, "responses").EventSourceResponse

    @app.get("/typed", response_class=response)
    async def typed() -> AsyncIterable[Item]:
        yield Item(name="a")

    @app.get("/sync", response_class=response)
    def sync() -> Iterable[Item]:
        yield Item(name="a")
        yield {"name": "b", "size": 1}

    @app.get("/untyped", response_class=response)
    async def untyped():
        yield "text"
        yield {"a": [1]}

    @app.get("/events", response_class=response)
    async def made() -> AsyncIterable[event]:
        yield event(data="text", event="greeting", id="1", retry=10)
        yield event(data=Item(name="a"), comment="two\nlines")
        yield event(raw_data="first\nsecond")
        yield event(comment="alone")

    @app.post("/posted", response_class=response)
    async def posted(item: Item) -> AsyncIterable[Item]:
        yield item

    return app


def test_json_lines():
    assert_same(lines, [get(path) for path in ("/typed", "/sync", "/less", "/untyped", "/none")])


def test_events():
    posted = ("POST", "/posted", {"json": {"name": "a"}})
    refused = ("POST", "/posted", {"json": {}})
    assert_same(events, [*map(get, ("/typed", "/sync", "/untyped", "/events")), posted, refused])


@pytest.mark.parametrize("kind", ["json", "event"])
def test_what_does_not_fit_breaks_the_stream_off(kind):
    app = data_bridge.fastapi.FastAPI()
    response = of(data_bridge.fastapi, "responses").EventSourceResponse

    @app.get("/", **({"response_class": response} if kind == "event" else {}))
    async def endpoint() -> AsyncIterable[Item]:
        yield Item(name="a")
        yield {"size": 1}

    with pytest.raises(of(data_bridge.fastapi, "exceptions").ResponseValidationError):
        data_bridge.testclient.TestClient(app).get("/")


def test_a_silent_stream_is_kept_alive(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(routing, "_PING_INTERVAL", 0.01)
    app = data_bridge.fastapi.FastAPI()
    ping, first, second = b": ping\n\n", b"data: 1\n\n", b"data: 2\n\n"
    pinged, sent = asyncio.Event(), []

    @app.get("/", response_class=of(data_bridge.fastapi, "responses").EventSourceResponse)
    async def endpoint() -> AsyncIterable[int]:
        yield 1
        await pinged.wait()
        yield 2

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))
        if sent[-1] == ping and first in sent:  # on a busy machine there may be one before it
            pinged.set()

    asyncio.run(asyncio.wait_for(app(scope("GET", "/"), receive, send), PATIENCE))
    assert [part for part in sent if part not in (b"", ping)] == [first, second]
    assert ping in sent[sent.index(first) : sent.index(second)]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"event": "a\nb"}, "single line"),
        ({"id": "a\0"}, "null characters"),
        ({"id": "a\r"}, "single line"),
        ({"retry": -1}, "greater than or equal to 0"),
        ({"data": 1, "raw_data": "1"}, "data"),
    ],
)
def test_events_that_cannot_be_are_refused(fields: dict[str, Any], problem: str):
    import fastapi.sse

    messages = []
    for module in (of(data_bridge.fastapi, "sse"), fastapi.sse):
        with pytest.raises(ValueError, match=problem) as found:
            module.ServerSentEvent(**fields)
        messages.append(str(found.value))
    assert messages[0] == messages[1]
