"""Mixed load and faults for so many seconds: over the last seven tenths memory grows by no more than a MiB,
and not faster and faster; at the end no descriptor and no task is left.

What is in use under load differs by a MiB from one moment to the next, so growth is not taken from two samples: it is
the median slope between any two of them (Theil and Sen), times the time.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import socket
import statistics
import struct
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

HERE = Path(__file__).parent
#: Samples of memory, and how many of the first are the warming up.
SAMPLES = 120
WARM = SAMPLES * 3 // 10
SLACK = 1 << 20
GOOD, BAD = 24, 12

GET = "GET {} HTTP/1.1\r\nhost: x\r\n\r\n"
POST = "POST {} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n"


class Load:
    """Clients that behave and clients that do not, until they are told to stop."""

    def __init__(self, port: int) -> None:
        self.port, self.done, self.faults, self.stop = port, 0, 0, False

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def good(self) -> None:
        """Requests of every kind on one connection after another; each has to be answered."""
        while not self.stop:
            reader, writer = await self.connect()
            for _ in range(random.randrange(1, 200)):
                path = random.choice(["/", "/", "/", "/echo", "/pause", "/file"])
                body = random.randbytes(random.choice([0, 10, 5000, 200_000])) if path == "/echo" else b""
                writer.write((POST.format(path, len(body)) if body else GET.format(path)).encode() + body)
                received = await self.answer(reader)
                assert not body or received == body, "an echo differs"
                self.done += 1
                if self.stop:
                    break
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def answer(self, reader: asyncio.StreamReader) -> bytes:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200"), head
        if b"content-length: " in head:
            return await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
        return body

    async def bad(self) -> None:
        """One client after another that does something wrong, and leaves with a FIN or with a reset."""
        while not self.stop:
            reader, writer = await self.connect()
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                writer.write(self.fault())
                if random.random() < 0.3:
                    writer.write_eof()
                await asyncio.wait_for(reader.read(100), random.choice([0.001, 0.02, 0.2]))
            self.leave(writer)
            self.faults += 1

    def fault(self) -> bytes:
        return random.choice(
            [
                b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n",
                b"GET /events HTTP/1.1\r\nhost: x\r\n\r\n",
                b"GET /download HTTP/1.1\r\nhost: x\r\n\r\n",
                b"GET /second HTTP/1.1\r\nhost: x\r\n\r\n",
                b"GET /raise HTTP/1.1\r\nhost: x\r\n\r\n",
                b"GET /short HTTP/1.1\r\nhost: x\r\n\r\n",
                b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 50,
                b"GET / HTTP/1.1\r\nhost",
                b"",
                random.randbytes(300),
                POST.format("/echo", 1 << 30).encode() + bytes(100_000),
                POST.format("/second", 1 << 30).encode() + bytes(300_000),
                b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel",
                b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nxx\r\n",
            ]
        )

    def leave(self, writer: asyncio.StreamWriter) -> None:
        if random.random() < 0.5:
            sock = writer.get_extra_info("socket")
            # The server may have been the first to break off.
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


async def ask(port: int) -> dict[str, int]:
    """Give what the server says of itself."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /facts HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    found: dict[str, int] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return found


async def calm(port: int, before: dict[str, int]) -> dict[str, int]:
    """Wait until nothing is left of the load, at most ten seconds; give what there is then."""
    deadline = time.monotonic() + 10
    while True:
        after = await ask(port)
        left = after["tasks"] > before["tasks"] or after["descriptors"] > before["descriptors"]
        if not left or time.monotonic() > deadline:
            return after
        await asyncio.sleep(0.1)


def growth(samples: list[int]) -> float:
    """Give by how many bytes memory grew from the first sample to the last."""
    pairs = itertools.combinations(enumerate(samples), 2)
    slope = statistics.median((late - early) / (b - a) for (a, early), (b, late) in pairs)
    return slope * (len(samples) - 1)


def mib(samples: list[int]) -> str:
    """Give the median of some samples as text."""
    return f"{statistics.median(samples) / 2**20:.2f}"


async def sample(port: int, seconds: float, clients: list[asyncio.Future[None]]) -> list[int]:
    """Look at the server's memory as time passes; ends early where a client failed."""
    memory = []
    for _ in range(SAMPLES):
        await asyncio.sleep(seconds / SAMPLES)
        for client in clients:
            if client.done():
                client.result()
        memory.append((await ask(port))["memory"])
    return memory


async def run(port: int, seconds: float) -> None:
    """Load the server, and look at it as time passes."""
    await ask(port)
    before = await ask(port)
    load = Load(port)
    kinds: list[Callable[[], Awaitable[None]]] = [load.good] * GOOD + [load.bad] * BAD
    clients = [asyncio.ensure_future(kind()) for kind in kinds]
    memory = await sample(port, seconds, clients)
    load.stop = True
    await asyncio.gather(*clients)
    after = await calm(port, before)
    warm = memory[WARM:]
    half = len(warm) // 2
    grown, first, second = growth(warm), growth(warm[:half]), growth(warm[half:])
    tenths = ", ".join(mib(memory[n : n + SAMPLES // 10]) for n in range(0, SAMPLES, SAMPLES // 10))
    print(
        f"server: {load.done:,} requests and {load.faults:,} faults in {seconds:.0f} s; "
        f"MiB of memory in each tenth (medians): {tenths}; growth over the last seven of them "
        f"{grown / 2**20:.2f}, {first / 2**20:.2f} in their first half and {second / 2**20:.2f} in the second; "
        f"descriptors {before['descriptors']} before, {after['descriptors']} after; "
        f"tasks {before['tasks']} before, {after['tasks']} after",
        flush=True,
    )
    assert grown <= SLACK, f"memory grew by {grown:.0f} bytes"
    assert second <= max(first, 0) + SLACK // 4, "memory grows faster and faster"
    assert after["tasks"] <= before["tasks"], "tasks are left"
    assert after["descriptors"] <= before["descriptors"], "descriptors are left"


def main() -> None:
    """Serve, load, stop."""
    options = ("--no-access-log", "--disconnect-grace", "0.1")
    with servers.data_bridge("served:app", *options, app_dir=HERE) as server:
        asyncio.run(run(server.port, float(sys.argv[1])))
        assert server.stop() == 0
    # Outside: all that it printed has been read.
    assert "shutdown was run" in server.output


if __name__ == "__main__":
    main()
