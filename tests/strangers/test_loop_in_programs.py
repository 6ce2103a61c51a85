"""Existing asyncio programs on our loop. Each test asserts the class of the loop that really ran."""

from __future__ import annotations

import asyncio
import io
import sys
import warnings
from pathlib import Path
from typing import Any

import aiohttp
import aiohttp.web
import httpx
import websockets
from tests.support import servers

import data_bridge
from data_bridge.loop import Loop

APPS = Path(__file__).parent / "apps"


def assert_ours() -> None:
    assert isinstance(asyncio.get_running_loop(), Loop)


def test_uvicorn_with_our_loop_factory() -> None:
    with servers.uvicorn("which_loop:app", "--loop", "data_bridge:new_event_loop", app_dir=APPS) as server:
        assert httpx.get(server.url).text == "data_bridge.loop.Loop"
        assert httpx.post(server.url, content=b"x" * 200_000).status_code == 200


def test_uvicorn_under_our_policy() -> None:
    with servers.running([sys.executable, "under_policy.py"], APPS) as server:
        assert httpx.get(server.url).text == "data_bridge.loop.Loop"


def test_hypercorn_on_our_loop() -> None:
    with servers.running([sys.executable, "hypercorn_on_our_loop.py"], APPS) as server:
        assert httpx.get(server.url).text == "data_bridge.loop.Loop"
        assert httpx.post(server.url, content=b"x" * 200_000).status_code == 200
        with httpx.Client() as client:  # keep-alive
            assert {client.get(server.url).status_code for _ in range(20)} == {200}


def test_a_runner_with_our_loop_factory() -> None:
    async def main() -> str:
        assert_ours()
        return "ran"

    with asyncio.Runner(loop_factory=data_bridge.new_event_loop) as runner:
        assert runner.run(main()) == "ran"
        assert runner.run(main()) == "ran"


def test_the_policy_makes_our_loops() -> None:
    async def main() -> None:
        assert_ours()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        asyncio.set_event_loop_policy(data_bridge.EventLoopPolicy())
        try:
            asyncio.run(main())
        finally:
            asyncio.set_event_loop_policy(None)


def test_aiohttp_client_and_server() -> None:
    async def echo(request: aiohttp.web.Request) -> aiohttp.web.Response:
        assert_ours()
        return aiohttp.web.Response(body=await request.read())

    async def talk(request: aiohttp.web.Request) -> aiohttp.web.WebSocketResponse:
        session = aiohttp.web.WebSocketResponse()
        await session.prepare(request)
        async for message in session:
            await session.send_str(message.data.upper())
        return session

    async def main() -> None:
        assert_ours()
        app = aiohttp.web.Application(client_max_size=8 << 20)
        app.router.add_post("/", echo)
        app.router.add_get("/talk", talk)
        runner = aiohttp.web.AppRunner(app)
        await runner.setup()
        site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiohttp.ClientSession() as session:
            for size in (0, 1, 70_000, 4_000_000):
                async with session.post(base, data=io.BytesIO(b"x" * size)) as answer:
                    assert len(await answer.read()) == size
            await asyncio.gather(*(session.post(base, data=b"y") for _ in range(50)))
            async with session.ws_connect(base + "/talk") as talking:
                await talking.send_str("hello")
                assert (await talking.receive_str()) == "HELLO"
        await runner.cleanup()

    data_bridge.run(main())


def test_websockets_client_and_server() -> None:
    async def main() -> list[str]:
        assert_ours()

        async def echo(connection: Any) -> None:
            async for message in connection:
                await connection.send(message)

        async with websockets.serve(echo, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with websockets.connect(f"ws://127.0.0.1:{port}") as client:
                received = []
                for text in ("a", "b" * 100_000):
                    await client.send(text)
                    received.append(await client.recv())
                return received

    assert data_bridge.run(main()) == ["a", "b" * 100_000]
