"""`data_bridge.Server`: beside a program's own work, on its loop."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from tests.support.servers import PATIENCE

import data_bridge
from data_bridge.exceptions import StartupFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

events: list[str] = []


async def app(
    scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[..., Awaitable[None]]
) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        events.append("shut down")
        await send({"type": "lifespan.shutdown.complete"})
        return
    if scope["path"] == "/slow":
        events.append("slow begins")
        begun.set()
        await released.wait()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"here"})


async def failing(_scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[..., Awaitable[None]]) -> None:
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})


async def ask(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.text()


@pytest.fixture(autouse=True)
def _fresh() -> None:
    global begun, released
    events.clear()
    begun, released = asyncio.Event(), asyncio.Event()


def run(main: Coroutine[Any, Any, None]) -> None:
    data_bridge.run(asyncio.wait_for(main, PATIENCE))


def test_it_accepts_inside_the_context_and_shuts_the_app_down_after_it() -> None:
    async def main() -> None:
        async with data_bridge.Server(app, port=0) as server:
            assert await ask(server.urls[0]) == "here"
            assert events == []
        assert events == ["shut down"]
        with pytest.raises(aiohttp.ClientConnectorError):
            await ask(server.urls[0])

    run(main())


def test_the_context_waits_for_requests_in_progress() -> None:
    async def main() -> None:
        async with data_bridge.Server(app, port=0) as server:
            asking = asyncio.create_task(ask(server.urls[0] + "/slow"))
            await begun.wait()
            asyncio.get_running_loop().call_later(0.05, released.set)
        assert await asking == "here"
        assert events == ["slow begins", "shut down"]

    run(main())


def test_serve_until_stop() -> None:
    async def main() -> None:
        server = data_bridge.Server(app, port=0)
        asyncio.get_running_loop().call_later(0.05, server.stop)
        await server.serve()
        assert events == ["shut down"]

    run(main())


def test_a_cancelled_serve_shuts_down() -> None:
    async def main() -> None:
        server = data_bridge.Server(app, port=0)
        serving = asyncio.create_task(server.serve())
        while not server.urls:  # noqa: ASYNC110 - it says so by this alone
            await asyncio.sleep(0)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        assert events == ["shut down"]

    run(main())


def test_two_servers_on_one_loop() -> None:
    async def main() -> None:
        async with data_bridge.Server(app, port=0) as one, data_bridge.Server(app, port=0) as other:
            assert one.urls != other.urls
            assert [await ask(one.urls[0]), await ask(other.urls[0])] == ["here", "here"]

    run(main())


def test_what_cannot_start_raises() -> None:
    async def main() -> None:
        with pytest.raises(StartupFailed, match="no database"):
            await data_bridge.Server(failing, port=0).serve()
        with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="is in use"):
            await data_bridge.Server(app, port=taken.getsockname()[1]).serve()
        server = data_bridge.Server(app, port=0)
        async with server:
            pass
        with pytest.raises(RuntimeError, match="used before"):
            await server.serve()

    run(main())


def test_it_needs_our_loop_and_no_workers() -> None:
    with pytest.raises(RuntimeError, match=r"use data_bridge\.run\(main\(\)\)"):
        asyncio.run(data_bridge.Server(app, port=0).serve())
    with pytest.raises(ValueError, match="start processes"):
        data_bridge.Server(app, workers=2)


def test_names_of_the_package_are_there_without_further_imports() -> None:
    assert data_bridge.json.loads(b"[1]") == [1]
    assert all(getattr(data_bridge, name) is not None for name in data_bridge.__all__)
