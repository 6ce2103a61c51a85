"""anyio and httpx on our loop. Each test asserts the class of the loop that really ran."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.abc
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread
import httpx
import pytest
from tests.support import servers

import data_bridge
from data_bridge.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

APPS = Path(__file__).parent / "apps"


def run(main: Callable[[], Awaitable[Any]]) -> Any:
    """`anyio.run()` on our loop."""

    async def checked() -> Any:
        assert isinstance(asyncio.get_running_loop(), Loop)
        return await main()

    return anyio.run(checked, backend_options={"loop_factory": data_bridge.new_event_loop})


def test_a_task_group_cancels_the_others_of_one_that_fails() -> None:
    ended = []

    async def wait(name: str) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(name)

    async def fail() -> None:
        await anyio.lowlevel.checkpoint()
        raise ValueError("one")

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(wait, "a")
            group.start_soon(wait, "b")
            group.start_soon(fail)

    with pytest.raises(ExceptionGroup) as caught:
        run(main)
    assert [str(error) for error in caught.value.exceptions] == ["one"]
    assert sorted(ended) == ["a", "b"]


def test_cancel_scopes_nest_shield_and_time_out() -> None:
    async def main() -> list[str]:
        seen = []
        with anyio.move_on_after(0.01) as outer:
            try:
                with anyio.CancelScope(shield=True), anyio.move_on_after(0.02):
                    await anyio.sleep_forever()
                seen.append("the shield held until its own deadline")
                await anyio.sleep_forever()
            finally:
                seen.append("then the outer scope cancelled")
        assert outer.cancelled_caught
        with pytest.raises(TimeoutError), anyio.fail_after(0.01):
            await anyio.sleep_forever()
        return seen

    assert len(run(main)) == 2


def test_a_task_group_starts_and_reports() -> None:
    async def serve(*, task_status: anyio.abc.TaskStatus[int]) -> None:
        task_status.started(42)
        await anyio.sleep_forever()

    async def main() -> int:
        async with anyio.create_task_group() as group:
            number: int = await group.start(serve)
            group.cancel_scope.cancel()
        return number

    assert run(main) == 42


def test_threads_call_and_are_called() -> None:
    async def double(number: int) -> int:
        await anyio.lowlevel.checkpoint()
        return number * 2

    def work(number: int) -> int:
        assert threading.current_thread() is not threading.main_thread()
        in_loop: int = anyio.from_thread.run(double, number)
        return in_loop + anyio.from_thread.run_sync(int, "1")

    async def main() -> list[int]:
        results = {}

        async def one(number: int) -> None:
            results[number] = await anyio.to_thread.run_sync(work, number)

        async with anyio.create_task_group() as group:
            for number in range(50):
                group.start_soon(one, number)
        return [results[number] for number in range(50)]

    assert run(main) == [number * 2 + 1 for number in range(50)]


def test_a_portal_runs_our_loop_in_a_thread() -> None:
    async def which() -> type:
        return type(asyncio.get_running_loop())

    options = {"loop_factory": data_bridge.new_event_loop}
    with anyio.from_thread.start_blocking_portal(backend_options=options) as portal:
        assert portal.call(which) is Loop
        futures = [portal.start_task_soon(anyio.sleep, 0.001) for _ in range(100)]
        assert [future.result(servers.PATIENCE) for future in futures] == [None] * 100


def test_worker_threads_are_kept() -> None:
    """They end with the main task, which anyio knows by its callback; otherwise with the first request's task."""

    async def main() -> list[threading.Thread]:
        def ask() -> Coroutine[Any, Any, threading.Thread]:
            return anyio.to_thread.run_sync(threading.current_thread)

        return [await asyncio.create_task(ask()), await asyncio.create_task(ask())]

    first, second = run(main)
    assert first is second


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_sockets_listen_connect_and_half_close(kind: str, tmp_path: Path) -> None:
    async def echo(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            async for chunk in stream:
                await stream.send(chunk)
            await stream.send(b"end")

    async def main() -> bytes:
        path = str(tmp_path / "socket")
        listener: Any
        if kind == "tcp":
            listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        else:
            listener = await anyio.create_unix_listener(path)
        async with listener, anyio.create_task_group() as group:
            group.start_soon(listener.serve, echo)
            client: Any
            if kind == "tcp":
                client = await anyio.connect_tcp("127.0.0.1", listener.extra(anyio.abc.SocketAttribute.local_port))
            else:
                client = await anyio.connect_unix(path)
            async with client:
                group.start_soon(client.send, b"x" * 1_000_000)
                received = b""
                while len(received) < 1_000_000:
                    received += await client.receive()
                await client.send_eof()
                received += await client.receive()
            group.cancel_scope.cancel()
        return received

    assert run(main) == b"x" * 1_000_000 + b"end"


def test_datagrams() -> None:
    async def main() -> list[bytes]:
        async with await anyio.create_udp_socket(local_host="127.0.0.1") as server:
            port = server.extra(anyio.abc.SocketAttribute.local_port)
            async with await anyio.create_connected_udp_socket("127.0.0.1", port) as client:
                received = []
                for text in (b"a", b"b" * 30_000):
                    await client.send(text)
                    packet, place = await server.receive()
                    await server.sendto(packet.upper(), *place)
                    received.append(await client.receive())
                return received

    assert run(main) == [b"A", b"B" * 30_000]


def test_processes() -> None:
    async def main() -> bytes:
        finished = await anyio.run_process(["sort"], input=b"b\na\n")
        async with await anyio.open_process(["cat"]) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            await process.stdin.send(finished.stdout)
            await process.stdin.aclose()
            return b"".join([chunk async for chunk in process.stdout])

    assert run(main) == b"a\nb\n"


def test_httpx_streams_pools_and_times_out() -> None:
    async def main(url: str) -> None:
        async with httpx.AsyncClient(base_url=url) as client:
            answers = await asyncio.gather(
                *(client.post("/echo", content=b"x" * size) for size in range(0, 100_000, 999))
            )
            assert [len(answer.content) for answer in answers] == list(range(0, 100_000, 999))
            async with client.stream("POST", "/echo", content=_chunks()) as answer:
                assert sum([len(chunk) async for chunk in answer.aiter_bytes()]) == 10 * 50_000
            with pytest.raises(httpx.ReadTimeout):
                await client.get("/never", timeout=httpx.Timeout(servers.PATIENCE, read=0.05))
            assert (await client.get("/echo")).status_code == 200

    with servers.uvicorn("echo:app", "--loop", "data_bridge:new_event_loop", app_dir=APPS) as server:
        run(lambda: main(server.url))


async def _chunks() -> Any:
    for _ in range(10):
        yield b"y" * 50_000
