"""What must not grow: descriptors, threads and memory over many lives of a loop."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from pathlib import Path


def test_many_lives_leave_nothing(loop_factory):
    async def life():
        running = asyncio.get_running_loop()
        running.call_later(100, print, running)
        running.call_soon_threadsafe(print.__repr__)
        await asyncio.gather(*(asyncio.sleep(0) for _ in range(5)))
        await running.run_in_executor(None, threading.get_ident)

    def live(times):
        for _ in range(times):
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                runner.run(life())
        gc.collect()
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count(), sys.getallocatedblocks()

    live(500)  # as many as it takes to fill what is kept for later: dead handles above all
    descriptors, threads, blocks = live(30)
    after = live(200)
    assert after[:2] == (descriptors, threads)
    assert after[2] - blocks < 200, "blocks of memory, over 200 lives"


def test_a_long_life_leaves_nothing(loop):
    async def turn():
        done = loop.create_future()
        loop.call_soon(done.set_result, None)
        handle = loop.call_later(10, print)
        await done
        handle.cancel()
        async with asyncio.timeout(10):
            await asyncio.create_task(asyncio.sleep(0))

    async def turns(times):
        for _ in range(times):
            await turn()
        gc.collect()
        return sys.getallocatedblocks()

    loop.run_until_complete(turns(300))
    before = loop.run_until_complete(turns(300))
    assert loop.run_until_complete(turns(3000)) - before < 300
