"""What reads and `drain()` await: woken, cancelled, closed, refused and replaced, as asyncio has it."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import textwrap
import weakref

import pytest
from tests.loop.wire import end_feeding, fed_by, turns


def test_a_waiting_reader_shows_its_future(run):
    async def main():
        reader, protocol, transport, there = await fed_by()
        waiting = asyncio.create_task(reader.read(10))
        await turns()
        assert type(reader) is asyncio.StreamReader
        assert type(reader._waiter) is asyncio.Future
        assert "waiter=<Future pending" in repr(reader)
        there.sendall(b"data")
        assert await waiting == b"data"
        assert reader._waiter is None
        await end_feeding(transport, protocol, there)

    run(main())


def test_a_cancelled_wait_is_over(run):
    async def main():
        reader, protocol, transport, there = await fed_by()
        for _ in range(2):
            waiting = asyncio.create_task(reader.readline())
            await turns()
            waiting.cancel("enough")
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert reader._waiter is None
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.001)
        there.sendall(b"line\n")
        assert await reader.readline() == b"line\n"
        await end_feeding(transport, protocol, there)

    run(main())


def test_a_second_reader_is_refused_and_the_first_goes_on(run):
    async def main():
        reader, protocol, transport, there = await fed_by()
        first = asyncio.create_task(reader.read(10))
        await turns()
        for read, name in (
            (reader.read(1), "read"),
            (reader.readexactly(1), "readexactly"),
            (reader.readline(), "readuntil"),
        ):
            with pytest.raises(RuntimeError, match=rf"^{name}\(\) called while another coroutine is already waiting"):
                await read
        there.sendall(b"data")
        assert await first == b"data"
        await end_feeding(transport, protocol, there)

    run(main())


def test_a_coroutine_driven_by_hand(run):
    async def main():
        reader, protocol, transport, there = await fed_by()
        read = reader.read(10)
        assert asyncio.isfuture(read.send(None))
        read.close()
        assert reader._waiter is None
        read = reader.read(10)
        read.send(None)
        with pytest.raises(LookupError, match="thrown"):
            read.throw(LookupError("thrown"))
        assert reader._waiter is None
        read = reader.read(10)
        future = read.send(None)
        there.sendall(b"data")
        while not future.done():
            await turns(1)
        with pytest.raises(StopIteration) as ended:
            read.send("whatever")
        assert ended.value.value == b"data"
        await end_feeding(transport, protocol, there)

    run(main())


def test_a_forgotten_coroutine_frees_the_reader(run):
    async def main():
        reader, protocol, transport, there = await fed_by()
        read = reader.read(10)
        read.send(None)
        del read
        gc.collect()
        assert reader._waiter is None
        there.sendall(b"data")
        assert await reader.read(10) == b"data"
        await end_feeding(transport, protocol, there)

    run(main())


def test_an_exception_reaches_who_waits(run):
    async def main():
        reader, protocol, transport, there = await fed_by()
        waiting = asyncio.create_task(reader.read(10))
        await turns()
        reader.set_exception(LookupError("set"))
        with pytest.raises(LookupError, match="set"):
            await waiting
        assert reader._waiter is None
        await end_feeding(transport, protocol, there)

    run(main())


def test_the_end_wakes_who_waits(run):
    async def main():
        reader, protocol, transport, there = await fed_by()
        waiting = asyncio.create_task(reader.readexactly(4))
        await turns()
        there.close()
        with pytest.raises(asyncio.IncompleteReadError):
            await waiting
        assert await reader.read(1) == b""
        await end_feeding(transport, protocol, there)

    run(main())


def test_a_reader_is_forgotten_with_its_last_reference(run):
    async def main():
        reader, protocol, transport, there = await fed_by()
        there.sendall(b"data")
        assert await reader.readexactly(4) == b"data"
        forgotten = weakref.ref(reader)
        gc.disable()
        try:
            del reader
            await turns(1)
            assert forgotten() is None
        finally:
            gc.enable()
        await end_feeding(transport, protocol, there)

    run(main())


def test_a_wait_that_is_replaced_is_called(run, monkeypatch):
    async def main():
        reader, protocol, transport, there = await fed_by()
        there.sendall(b"before")
        assert await reader.readexactly(6) == b"before"
        names = []
        original = asyncio.StreamReader._wait_for_data

        async def wait(self, name):
            names.append(name)
            await original(self, name)

        with monkeypatch.context() as patch:
            patch.setattr(asyncio.StreamReader, "_wait_for_data", wait)
            waiting = asyncio.create_task(reader.read(10))
            await turns()
            there.sendall(b"class")
            assert await waiting == b"class"
        with monkeypatch.context() as patch:
            patch.setattr(reader, "_wait_for_data", lambda name: wait(reader, name))
            waiting = asyncio.create_task(reader.readline())
            await turns()
            there.sendall(b"object\n")
            assert await waiting == b"object\n"
        assert names == ["read", "readuntil"]
        await end_feeding(transport, protocol, there)

    run(main())


def test_a_drain_waits_for_its_protocol(run, monkeypatch):
    async def main():
        reader, protocol, transport, there = await fed_by()
        writer = asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop())
        await writer.drain()
        protocol.pause_writing()
        waiting = asyncio.create_task(writer.drain())
        await turns()
        assert not waiting.done()
        protocol.resume_writing()
        await waiting
        drained = []
        original = asyncio.StreamReaderProtocol._drain_helper

        async def drain(self):
            drained.append(self)
            await original(self)

        with monkeypatch.context() as patch:
            patch.setattr(asyncio.StreamReaderProtocol, "_drain_helper", drain)
            await writer.drain()
        await writer.drain()
        assert drained == [protocol]
        await end_feeding(transport, protocol, there)
        with pytest.raises(ConnectionResetError):
            await protocol._drain_helper()

    run(main())


def test_what_was_replaced_before_our_import_is_called():
    code = """
        import asyncio, socket
        names = []
        fed, waits = asyncio.StreamReader.feed_data, asyncio.StreamReader._wait_for_data
        asyncio.StreamReader.feed_data = lambda self, data: (names.append("feed_data"), fed(self, data))
        asyncio.StreamReader._wait_for_data = lambda self, name: (names.append(name), waits(self, name))[1]
        import data_bridge

        async def main():
            here, there = socket.socketpair()
            reader, writer = await asyncio.open_connection(sock=here)
            waiting = asyncio.create_task(reader.readexactly(4))
            await asyncio.sleep(0)
            there.sendall(b"data")
            assert await waiting == b"data"
            writer.close()
            await writer.wait_closed()
            there.close()

        data_bridge.run(main())
        assert names == ["readexactly", "feed_data"], names
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=60)
