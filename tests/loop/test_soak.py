"""What must not grow: descriptors, threads and memory over many lives of a loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import ctypes
import gc
import itertools
import sys
import threading
from pathlib import Path

from tests.loop.wire import Recorder, turns


class DatagramRecorder(asyncio.DatagramProtocol):
    """Says when the first datagram is there."""

    def __init__(self):
        self.heard = asyncio.get_running_loop().create_future()

    def datagram_received(self, data, addr):
        self.heard.set_result((data, addr))


#: A round of lives, and how many there are. Caches of the interpreter fill for a while, so what counts is the round
#: that left least: what leaks, leaks in each.
LIVES, ROUNDS = 200, 5


class _Mallinfo(ctypes.Structure):
    """What mallinfo2() answers: ten sizes, of which the eighth is the bytes in use."""

    _fields_ = (("sizes", ctypes.c_size_t * 10),)


def native_bytes():
    """What the C library has lent out in its main arena, Rust included."""
    mallinfo = ctypes.CDLL(None).mallinfo2
    mallinfo.restype = _Mallinfo
    return mallinfo().sizes[7]


def held():
    """Descriptors, threads, Python's blocks and native bytes."""
    gc.collect()
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    return descriptors, threading.active_count(), sys.getallocatedblocks(), native_bytes()


def assert_nothing_stays(loop_factory, life):
    def live():
        for _ in range(LIVES):
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                runner.run(life())
        return held()

    rounds = [live() for _ in range(ROUNDS)]
    assert len({(descriptors, threads) for descriptors, threads, *_ in rounds}) == 1
    steps = list(itertools.pairwise(rounds))
    assert min(after[2] - before[2] for before, after in steps) < LIVES // 2, "blocks of memory"
    assert min(after[3] - before[3] for before, after in steps) < LIVES * 16, "bytes of native memory"


def test_many_lives_leave_nothing(loop_factory):
    async def life():
        running = asyncio.get_running_loop()
        running.call_later(100, print, running)
        running.call_soon_threadsafe(print.__repr__)
        await asyncio.gather(*(asyncio.sleep(0) for _ in range(5)))
        await running.run_in_executor(None, threading.get_ident)

    assert_nothing_stays(loop_factory, life)


def test_many_lives_with_sockets_leave_nothing(loop_factory):
    """A server and its client, and datagrams."""

    async def life():
        loop = asyncio.get_running_loop()
        accepted = Recorder()
        gone = accepted.happened("connection_lost")
        server = await loop.create_server(lambda: accepted, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        transport, protocol = await loop.create_connection(Recorder, *address)
        endpoint, datagrams = await loop.create_datagram_endpoint(DatagramRecorder, local_addr=("127.0.0.1", 0))
        heard = datagrams.heard
        endpoint.sendto(b"hello", endpoint.get_extra_info("sockname"))
        await heard
        lost = protocol.happened("connection_lost")
        transport.close()
        await lost
        await gone
        endpoint.close()
        server.close()
        await server.wait_closed()
        await turns()

    assert_nothing_stays(loop_factory, life)


def test_several_loops_in_several_threads(loop_factory):
    """Each with a server of its own, each a client of the next one."""
    count = 4
    addresses = [concurrent.futures.Future() for _ in range(count)]
    finished = threading.Barrier(count)

    async def life(number):
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        addresses[number].set_result(server.sockets[0].getsockname())
        neighbour = await asyncio.wrap_future(addresses[(number + 1) % count])
        answers = []
        for round_ in range(20):
            reader, writer = await asyncio.open_connection(*neighbour)
            writer.write(b"%d %d\n" % (number, round_))
            answers.append(await reader.readline())
            writer.close()
            await writer.wait_closed()
        await asyncio.get_running_loop().run_in_executor(None, finished.wait, 30)
        server.close()
        await server.wait_closed()
        return answers

    async def answer(reader, writer):
        writer.write(await reader.readline())
        await reader.read()
        writer.close()

    def live(number):
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(life(number))

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        for number, answers in enumerate(pool.map(live, range(count))):
            assert answers == [b"%d %d\n" % (number, round_) for round_ in range(20)]


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
