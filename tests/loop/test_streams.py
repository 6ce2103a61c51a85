"""asyncio's `StreamReader` and `StreamWriter`, unchanged, on our transports."""

from __future__ import annotations

import asyncio

import pytest
from tests.loop.wire import end_feeding, fed_by, turns


async def start_echo(**options):
    async def serve(reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, **options)
    return server, server.sockets[0].getsockname()


async def stop(server, *writers):
    for writer in writers:
        writer.close()
        await writer.wait_closed()
    server.close()
    await server.wait_closed()


def test_a_conversation(run):
    async def main():
        server, address = await start_echo()
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"first line\nsecond line\nrest")
        assert await reader.readline() == b"first line\n"
        assert await reader.readuntil(b"line") == b"second line"
        assert await reader.readexactly(3) == b"\nre"
        writer.write_eof()
        assert await reader.read() == b"st"
        assert reader.at_eof()
        await stop(server, writer)

    run(main())


def test_many_conversations_at_once(run):
    async def talk(address, number):
        reader, writer = await asyncio.open_connection(*address)
        for step in range(20):
            message = b"%d:%d;" % (number, step)
            writer.write(message)
            await writer.drain()
            assert await reader.readexactly(len(message)) == message
        writer.close()
        await writer.wait_closed()

    async def main():
        server, address = await start_echo()
        await asyncio.gather(*[talk(address, number) for number in range(50)])
        await stop(server)

    run(main())


@pytest.mark.parametrize("limit", [1000, 65536])
def test_a_slow_reader_holds_the_writer_back(run, limit):
    payload = bytes(range(256)) * 100_000

    async def main():
        server, address = await start_echo(limit=limit)
        reader, writer = await asyncio.open_connection(*address, limit=limit)

        async def send():
            for start in range(0, len(payload), 100_000):
                writer.write(payload[start : start + 100_000])
                await writer.drain()
            writer.write_eof()

        sending = asyncio.ensure_future(send())
        await turns(50)
        assert not sending.done(), "25 megabytes do not fit into the kernel's buffers"
        assert await reader.read() == payload
        await sending
        await stop(server, writer)

    run(main())


def test_drain_tells_of_a_lost_connection(run):
    async def main():
        async def serve(_reader, writer):
            writer.transport.abort()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.read() == b""

        async def write_without_end():  # it never waits, and must come to its end all the same
            while True:
                writer.write(b"x" * 1000)
                await writer.drain()

        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            await write_without_end()
        writer.close()
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            await writer.wait_closed()
        await stop(server)

    run(main())


def test_an_incomplete_message(run):
    async def main():
        server, address = await start_echo()
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"abc")
        writer.write_eof()
        with pytest.raises(asyncio.IncompleteReadError) as caught:
            await reader.readexactly(10)
        assert caught.value.partial == b"abc"
        await stop(server, writer)

    run(main())


def test_too_long_a_line(run):
    async def main():
        server, address = await start_echo()
        reader, writer = await asyncio.open_connection(*address, limit=100)
        writer.write(b"x" * 1000 + b"\n")
        with pytest.raises(ValueError, match="chunk is longer than limit"):
            await reader.readline()
        await stop(server, writer)

    run(main())


def test_wait_closed_after_the_peer_has_gone(run):
    async def main():
        server, address = await start_echo()
        reader, writer = await asyncio.open_connection(*address)
        writer.write_eof()
        assert await reader.read() == b""
        assert not writer.is_closing()
        writer.close()
        assert writer.is_closing()
        await writer.wait_closed()
        await stop(server)

    run(main())


class CountingReader(asyncio.StreamReader):
    fed = 0

    def feed_data(self, data):
        self.fed += len(data)
        super().feed_data(data)


class CountingProtocol(asyncio.StreamReaderProtocol):
    received = 0

    def data_received(self, data):
        self.received += len(data)
        super().data_received(data)


def test_what_is_overridden_is_called(run):
    async def main():
        reader, protocol, transport, there = await fed_by(CountingReader, CountingProtocol)
        there.sendall(b"data")
        assert await reader.readexactly(4) == b"data"
        assert (reader.fed, protocol.received) == (4, 4)
        await end_feeding(transport, protocol, there)

    run(main())


@pytest.mark.parametrize("replaced", ["feed_data", "data_received"])
def test_what_is_replaced_on_the_living_object_is_called(run, replaced):
    async def main():
        reader, protocol, transport, there = await fed_by()
        there.sendall(b"before")
        assert await reader.readexactly(6) == b"before"
        seen = []
        owner = reader if replaced == "feed_data" else protocol
        original = getattr(owner, replaced)
        setattr(owner, replaced, lambda data: (seen.append(data), original(data)))
        there.sendall(b"after")
        assert await reader.readexactly(5) == b"after"
        assert b"".join(seen) == b"after"
        delattr(owner, replaced)
        await end_feeding(transport, protocol, there)

    run(main())


@pytest.mark.parametrize(
    ("owner", "replaced"), [(asyncio.StreamReader, "feed_data"), (asyncio.StreamReaderProtocol, "data_received")]
)
def test_what_is_replaced_on_the_class_is_called(run, monkeypatch, owner, replaced):
    async def main():
        reader, protocol, transport, there = await fed_by()
        there.sendall(b"before")
        assert await reader.readexactly(6) == b"before"
        seen = []
        original = getattr(owner, replaced)
        with monkeypatch.context() as patch:
            patch.setattr(owner, replaced, lambda self, data: (seen.append(data), original(self, data)))
            there.sendall(b"between")
            assert await reader.readexactly(7) == b"between"
        there.sendall(b"after")
        assert await reader.readexactly(5) == b"after"
        assert b"".join(seen) == b"between"
        await end_feeding(transport, protocol, there)

    run(main())


def test_a_full_reader_pauses_its_transport(run):
    async def main():
        reader, protocol, transport, there = await fed_by(limit=1000)
        there.sendall(b"x" * 2000)
        while len(reader._buffer) < 2000:
            await turns(1)
        assert transport.is_reading()
        there.sendall(b"y")
        while transport.is_reading():
            await turns(1)
        assert "paused" in repr(reader)
        there.sendall(b"z")
        await turns(5)
        assert len(reader._buffer) == 2001
        assert await reader.readexactly(2002) == b"x" * 2000 + b"yz"
        assert transport.is_reading()
        await end_feeding(transport, protocol, there)

    run(main())


def test_a_cancelled_wait_loses_nothing(run):
    async def main():
        reader, protocol, transport, there = await fed_by()
        waiting = asyncio.create_task(reader.readexactly(4))
        await turns()
        waiting.cancel()
        there.sendall(b"data")
        while not reader._buffer:
            await turns(1)
        assert waiting.cancelled()
        assert await reader.read(10) == b"data"
        await end_feeding(transport, protocol, there)

    run(main())


def test_a_reader_that_nobody_holds_hears_nothing(run):
    async def main():
        reader, protocol, transport, there = await fed_by()
        del reader
        there.sendall(b"data")
        await turns(5)
        assert transport.is_reading()
        await end_feeding(transport, protocol, there)

    run(main())


def test_data_in_a_lent_buffer_is_an_error(run, loop):
    reported = []

    async def main():
        loop.set_exception_handler(lambda _loop, context: reported.append(context))
        reader, protocol, transport, there = await fed_by()
        there.sendall(b"data")
        while not reader._buffer:
            await turns(1)
        with memoryview(reader._buffer):
            there.sendall(b"more")
            with pytest.raises(BufferError):
                await protocol._get_close_waiter(None)
        there.close()
        assert isinstance(reader.exception(), BufferError)
        assert not transport.is_reading()

    run(main())
    assert [context["message"] for context in reported] == ["Fatal error: protocol.data_received() call failed."]
