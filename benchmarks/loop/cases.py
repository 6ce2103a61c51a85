"""The operations, each repeated n times on a given loop in one process. Adding a case is one function.

Every case runs the loop itself, because a running loop is part of what it measures.
"""

import asyncio
import threading
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

BATCH = 100


@dataclass(frozen=True)
class Case:
    """One operation: what it is called, how often it runs, and the function that runs it n times."""

    title: str
    operations: int
    run: Callable[[AbstractEventLoop, int], None]


CASES: dict[str, Case] = {}


def case(title: str, operations: int) -> Callable[[Callable[[AbstractEventLoop, int], None]], Callable[..., None]]:
    """Registers a function that takes the loop and n."""

    def register(run: Callable[[AbstractEventLoop, int], None]) -> Callable[..., None]:
        CASES[run.__name__] = Case(title, operations, run)
        return run

    return register


def async_case(title: str, operations: int) -> Callable[[Callable[[int], Awaitable[None]]], Callable[..., None]]:
    """Registers a coroutine function that takes n and finds the loop itself."""

    def register(body: Callable[[int], Awaitable[None]]) -> Callable[..., None]:
        def run(loop: AbstractEventLoop, n: int) -> None:
            loop.run_until_complete(body(n))

        CASES[body.__name__] = Case(title, operations, run)
        return run

    return register


@case("call_soon chain", 300_000)
def call_soon_chain(loop: AbstractEventLoop, n: int) -> None:
    """Each callback schedules the next: one turn of the loop for each."""
    left = n

    def step() -> None:
        nonlocal left
        left -= 1
        if left:
            loop.call_soon(step)
        else:
            loop.stop()

    loop.call_soon(step)
    loop.run_forever()


@async_case("call_soon, batches of 100", 400_000)
async def call_soon_batch(n: int) -> None:
    """A hundred callbacks in each turn."""
    loop = asyncio.get_running_loop()
    for _ in range(n // BATCH):
        for _ in range(BATCH):
            loop.call_soon(nothing)
        await asyncio.sleep(0)


@async_case("call_later + cancel", 300_000)
async def call_later_cancel(n: int) -> None:
    """The time-out that does not happen."""
    loop = asyncio.get_running_loop()
    for _ in range(n // BATCH):
        for _ in range(BATCH):
            loop.call_later(10, nothing).cancel()
        await asyncio.sleep(0)


@async_case("call_later fire", 200_000)
async def call_later_fire(n: int) -> None:
    """A thousand timers of equal length, then the next thousand."""
    loop = asyncio.get_running_loop()
    for _ in range(n // 1000):
        for _ in range(999):
            loop.call_later(0.001, nothing)
        last = loop.create_future()
        loop.call_later(0.001, last.set_result, None)
        await last


@async_case("sleep(0)", 300_000)
async def sleep_zero(n: int) -> None:
    """A task that gives way: one step of a task in each turn."""
    for _ in range(n):
        await asyncio.sleep(0)


@async_case("create_task + gather", 100_000)
async def tasks(n: int) -> None:
    """A hundred tasks at a time, each of which ends at once."""
    for _ in range(n // BATCH):
        await asyncio.gather(*[asyncio.create_task(nothing_async()) for _ in range(BATCH)])


@async_case("future set_result → wake", 200_000)
async def future_wake(n: int) -> None:
    """A task waits for a future that a callback fulfils."""
    loop = asyncio.get_running_loop()
    for _ in range(n):
        future = loop.create_future()
        loop.call_soon(future.set_result, None)
        await future


@async_case("call_soon_threadsafe", 200_000)
async def call_soon_threadsafe(n: int) -> None:
    """Another thread posts callbacks as fast as it can; the CPU time is both threads'."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def post() -> None:
        for _ in range(n - 1):
            loop.call_soon_threadsafe(nothing)
        loop.call_soon_threadsafe(done.set_result, None)

    poster = threading.Thread(target=post)
    poster.start()
    await done
    poster.join()


@async_case("run_in_executor", 10_000)
async def run_in_executor(n: int) -> None:
    """A round trip to the default pool, one at a time; the CPU time is both threads'."""
    loop = asyncio.get_running_loop()
    for _ in range(n):
        await loop.run_in_executor(None, nothing)


@async_case("streams ping-pong 64 B", 10_000)
async def streams(n: int) -> None:
    """StreamReader and StreamWriter at both ends, in one loop."""
    message = b"x" * 64

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(await reader.readexactly(64))
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for _ in range(n):
        writer.write(message)
        await reader.readexactly(64)
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()


def nothing() -> None:
    """What a callback costs besides the loop."""


async def nothing_async() -> None:
    """What a task costs besides the loop."""
