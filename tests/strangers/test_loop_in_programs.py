"""Existing asyncio programs on our loop. Each test asserts the class of the loop that really ran."""

from __future__ import annotations

import asyncio
import io
import socket
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import aiohttp.web
import anyio
import httpx
import pytest
import redis.asyncio
import websockets
from tests.conftest import require_program
from tests.support import servers

import data_bridge
from data_bridge.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@pytest.fixture
def redis_port(tmp_path: Path) -> Iterator[int]:
    program = require_program("redis-server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if "Ready to accept connections" in line:
            break
    yield port
    process.terminate()
    process.stdout.close()
    process.wait(servers.PATIENCE)


def test_redis_py_against_a_real_redis(redis_port: int) -> None:
    async def main() -> int:
        assert_ours()
        client = redis.asyncio.Redis(port=redis_port)
        async with client.pipeline() as pipe:
            for number in range(1000):
                pipe.incrby("sum", number)
            await pipe.execute()
        async with client.pubsub() as listener:
            await listener.subscribe("news")
            await client.publish("news", "hello")
            kinds = [(await listener.get_message(timeout=10))["type"] for _ in range(2)]
            assert kinds == ["subscribe", "message"]
        total = int(await client.get("sum"))
        await client.aclose()
        return total

    assert data_bridge.run(main()) == sum(range(1000))


def test_anyio_keeps_its_worker_threads() -> None:
    """They end with the main task, which anyio knows by its callback; otherwise with the first request's task."""

    async def main() -> list[threading.Thread]:
        assert_ours()
        return [
            await asyncio.create_task(anyio.to_thread.run_sync(threading.current_thread)),
            await asyncio.create_task(anyio.to_thread.run_sync(threading.current_thread)),
        ]

    first, second = data_bridge.run(main())
    assert first is second
