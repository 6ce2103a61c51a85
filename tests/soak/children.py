"""Child processes, started and waited for, with and without pipes: no process, descriptor or byte stays."""

from __future__ import annotations

import asyncio
import sys
import time
from asyncio.subprocess import PIPE
from pathlib import Path

from flat import Watch

import data_bridge

#: So many are under way at once.
AT_ONCE = 4
#: It is enough to go on for so long, in seconds.
LONG_ENOUGH = 600


async def live(number: int) -> None:
    """One child: every tenth has pipes."""
    if number % 10:
        process = await asyncio.create_subprocess_exec("/bin/true")
        assert await process.wait() == 0
    else:
        process = await asyncio.create_subprocess_exec("/bin/cat", stdin=PIPE, stdout=PIPE)
        assert await process.communicate(b"hello") == (b"hello", None)


def children() -> int:
    """How many children this process has, ended ones included."""
    tasks = Path("/proc/self/task").glob("*/children")
    return sum(len(task.read_text(encoding="ascii").split()) for task in tasks)


async def soak(total: int) -> None:
    """Starts them until all were there, or the time is over."""
    started, began, watch = 0, time.monotonic(), Watch("children", total)

    async def work() -> None:
        nonlocal started
        while started < total:
            started += 1
            await live(started)
            share = (time.monotonic() - began) / LONG_ENOUGH
            watch.done(max(started, int(total * min(share, 1))))
            if share >= 1:
                return

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    assert children() == 0, "a child was not waited for"
    watch.total = started
    watch.close()


if __name__ == "__main__":
    data_bridge.run(soak(int(sys.argv[1])))
