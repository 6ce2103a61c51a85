"""A pipeline of processes, as a program builds it from asyncio's functions. It asserts the class of the loop."""

from __future__ import annotations

import asyncio
import os
import sys

import data_bridge
from data_bridge.loop import Loop

WORDS = "import sys\nfor number in range(200_000): print(number % 1000)"
COUNT = "import sys\nprint(sum(1 for line in sys.stdin))\nprint(len(sys.argv), file=sys.stderr)"


def test_two_programs_joined_by_a_pipe() -> None:
    async def main() -> list[bytes]:
        assert isinstance(asyncio.get_running_loop(), Loop)
        reading, writing = os.pipe()
        words = await asyncio.create_subprocess_exec(sys.executable, "-c", WORDS, stdout=writing)
        os.close(writing)
        pipe = asyncio.subprocess.PIPE
        command = [sys.executable, "-c", COUNT, "argument"]
        count = await asyncio.create_subprocess_exec(*command, stdin=reading, stdout=pipe, stderr=pipe)
        os.close(reading)
        (out, error), first = await asyncio.gather(count.communicate(), words.wait())
        assert (first, count.returncode) == (0, 0)
        return [out, error]

    assert data_bridge.run(main()) == [b"200000\n", b"2\n"]


def test_a_program_between_two_streams_of_ours() -> None:
    """What goes in comes out while it still goes in: neither side may block the other."""

    async def feed(writer: asyncio.StreamWriter) -> None:
        for number in range(100_000):
            writer.write(b"%d\n" % (number % 7))
            await writer.drain()
        writer.close()

    async def main() -> dict[bytes, int]:
        assert isinstance(asyncio.get_running_loop(), Loop)
        pipe = asyncio.subprocess.PIPE
        sort = await asyncio.create_subprocess_shell("cat | sort | uniq -c", stdin=pipe, stdout=pipe)
        assert sort.stdin is not None
        assert sort.stdout is not None
        feeding = asyncio.create_task(feed(sort.stdin))
        counted = {}
        async for line in sort.stdout:
            count, word = line.split()
            counted[word] = int(count)
        await feeding
        assert await sort.wait() == 0
        return counted

    counted = data_bridge.run(main())
    assert sum(counted.values()) == 100_000
    assert len(counted) == 7


def test_a_hundred_at_once_and_a_killed_one() -> None:
    async def answer(number: int) -> bytes:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec("cat", stdin=pipe, stdout=pipe)
        return (await process.communicate(b"%d" % number))[0]

    async def main() -> int:
        assert isinstance(asyncio.get_running_loop(), Loop)
        answers = await asyncio.gather(*(answer(number) for number in range(100)))
        assert answers == [b"%d" % number for number in range(100)]
        process = await asyncio.create_subprocess_exec("sleep", "1000")
        process.kill()
        return await process.wait()

    assert data_bridge.run(main()) == -9
