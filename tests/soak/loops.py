"""Loops that live and end, each with a server, a client, a thread, a timer and a generator left open."""

from __future__ import annotations

import asyncio
import sys
import threading

from flat import Watch

import data_bridge


async def numbers():
    """A generator that the loop has to close."""
    number = 0
    while True:
        yield number
        number += 1


async def life() -> None:
    """What a program does with a loop."""
    loop = asyncio.get_running_loop()
    loop.call_later(1000, print, loop)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\n")
        assert await reader.read() == b"hello\n"
        writer.close()
    woken = asyncio.Event()
    threading.Thread(target=loop.call_soon_threadsafe, args=(woken.set,)).start()
    await woken.wait()
    async for _ in numbers():
        break
    asyncio.create_task(asyncio.sleep(1000))  # noqa: RUF006 - the runner cancels it


def soak(total: int) -> None:
    """Runs a loop, closes it, and the next."""
    watch = Watch("loops created and closed", total)
    for number in range(total):
        data_bridge.run(life())
        watch.done(number + 1)
    watch.close()


if __name__ == "__main__":
    soak(int(sys.argv[1]))
