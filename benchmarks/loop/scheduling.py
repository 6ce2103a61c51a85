"""Callbacks, timers, tasks and threads: what costs no descriptor. Running the loop is a part of each case."""

import asyncio
import threading
from asyncio import AbstractEventLoop

from benchmarks.loop.registry import async_case, case

BATCH = 100


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


@async_case("asyncio.timeout", 100_000)
async def timeout(n: int) -> None:
    """The context manager around a body that ends at once."""
    for _ in range(n):
        async with asyncio.timeout(10):
            await nothing_async()


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


def nothing() -> None:
    """What a callback costs besides the loop."""


async def nothing_async() -> None:
    """What a task costs besides the loop."""
