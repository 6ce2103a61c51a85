"""How often a turn gives the interpreter up: at most once, and not at all while work is ready. Counted natively."""

from __future__ import annotations

import asyncio
import threading

import pytest
from tests.loop.conftest import FACTORIES

from data_bridge import _native

take_turns = _native.testing.take_turns


@pytest.fixture(params=[name for name in FACTORIES if name != "asyncio"])
def loop_factory(request):
    """Ours alone: asyncio gives the interpreter up in every system call, and nobody counts."""
    return FACTORIES[request.param]


async def echo(reader, writer):
    while chunk := await reader.read(1000):
        writer.write(chunk)
    writer.close()


async def ping(port, times):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(times):
        writer.write(b"x" * 100)
        await reader.readexactly(100)
        await asyncio.sleep(0.0001)
    writer.close()
    await writer.wait_closed()


def test_a_turn_gives_the_interpreter_up_at_most_once(loop, run):
    async def main():
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        woken = asyncio.Semaphore(0)

        def wake():
            for _ in range(1000):
                loop.call_soon_threadsafe(woken.release)

        async with server:
            port = server.sockets[0].getsockname()[1]
            waking = loop.run_in_executor(None, wake)
            await asyncio.gather(*(ping(port, 50) for _ in range(10)), waking)
            for _ in range(1000):
                await woken.acquire()
            await asyncio.sleep(0.01)  # of a loop that always found work, this is the first sleep

    take_turns()
    run(main())
    turns, releases, most = take_turns()
    assert most == 1
    assert 0 < releases <= turns


def test_what_is_ready_keeps_the_interpreter(loop):
    """Nothing but the end of the chain lets the loop sleep, so nothing gives the interpreter up."""

    def step(left):
        if left:
            loop.call_soon(step, left - 1)
        else:
            loop.stop()

    loop.call_soon(step, 10_000)
    take_turns()
    loop.run_forever()
    turns, releases, _most = take_turns()
    assert turns > 10_000
    assert releases == 0


def test_an_idle_loop_does_not_turn(loop):
    waiting = threading.Event()

    def wake():
        waiting.wait()
        loop.call_soon_threadsafe(loop.stop)

    thread = threading.Thread(target=wake)
    thread.start()
    loop.call_later(0.05, waiting.set)
    take_turns()
    loop.run_forever()
    thread.join()
    assert take_turns()[0] < 10


def test_short_timers_do_not_spin(run):
    """CPython's `test_timeout_rounding` with our own count: it counts calls of `_run_once`, which we have not."""

    async def wait():
        for delay in (1e-2, 1e-4, 1e-6, 1e-8, 1e-10):
            await asyncio.sleep(delay)

    take_turns()
    run(wait())
    assert take_turns()[0] <= 20
