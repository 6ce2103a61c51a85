"""`connect_read_pipe` and `connect_write_pipe`: pipes, sockets and terminals, and what is none of them."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import os
import socket
import tty

import pytest
from tests.loop.wire import Recorder, in_thread, turns

LARGE = bytes(range(256)) * 4096  # 1 MiB: more than a pipe takes


def opened(fd, mode):
    return os.fdopen(fd, mode, buffering=0)


def read_end(fd, count):
    """That many bytes of a descriptor that blocks."""
    found = b""
    while len(found) < count:
        found += os.read(fd, count - len(found))
    return found


@contextlib.asynccontextmanager
async def reading(protocol):
    """A transport that reads a pipe, and the descriptor of its other end."""
    here, there = os.pipe()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: protocol, opened(here, "rb"))
    with opened(there, "wb") as peer:
        yield transport, peer
    if "connection_lost" not in protocol.names():
        await protocol.happened("connection_lost")


@contextlib.asynccontextmanager
async def writing(protocol, pair=os.pipe):
    """A transport that writes into a pipe, and the descriptor of its other end."""
    there, here = pair()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_write_pipe(lambda: protocol, opened(here, "wb"))
    with opened(there, "rb") as peer:
        yield transport, peer
    if "connection_lost" not in protocol.names():
        lost = protocol.happened("connection_lost")
        transport.abort()
        await lost


def sockets():
    return [sock.detach() for sock in socket.socketpair()]


def terminal():
    """A terminal that passes bytes as they are; both its ends."""
    try:
        controlling, attached = os.openpty()
    except OSError:
        pytest.skip("this machine gives no terminals")
    tty.setraw(attached)
    return controlling, attached


def test_what_is_written_into_a_pipe_is_read(run):
    async def main():
        protocol = Recorder()
        async with reading(protocol) as (transport, peer):
            assert isinstance(transport, asyncio.ReadTransport)
            assert transport.get_extra_info("pipe").fileno() > 0
            assert transport.get_protocol() is protocol
            assert transport.is_reading()
            arrived = protocol.happened("data_received")
            peer.write(b"hello")
            assert await arrived == (b"hello",)
            lost = protocol.happened("connection_lost")
            peer.close()
            assert await lost == (None,)
            assert transport.is_closing()
        assert protocol.names() == ["connection_made", "data_received", "eof_received", "connection_lost"]

    run(main())


def test_megabytes_pass(run):
    async def main():
        protocol = Recorder()
        async with reading(protocol) as (_transport, peer):
            lost = protocol.happened("connection_lost")

            def send():
                with peer:
                    rest = memoryview(LARGE)
                    while rest:
                        rest = rest[peer.write(rest) :]

            await in_thread(send)
            await lost
        assert protocol.data() == LARGE

    run(main())


def test_a_paused_reader_reads_nothing(run):
    async def main():
        protocol = Recorder()
        async with reading(protocol) as (transport, peer):
            transport.pause_reading()
            transport.pause_reading()
            assert not transport.is_reading()
            peer.write(b"hello")
            await turns()
            assert protocol.data() == b""
            arrived = protocol.happened("data_received")
            transport.resume_reading()
            transport.resume_reading()
            assert await arrived == (b"hello",)
            transport.close()
            transport.close()

    run(main())


def test_another_protocol_takes_over(run):
    async def main():
        first, second = Recorder(), Recorder()
        async with reading(first) as (transport, peer):
            transport.set_protocol(second)
            arrived = second.happened("data_received")
            peer.write(b"hello")
            assert await arrived == (b"hello",)
            transport.set_protocol(first)
            transport.close()
        assert first.data() == b""

    run(main())


def test_a_reader_that_raises_is_reported_and_goes_on(loop, run):
    class Raises(Recorder):
        def data_received(self, data):
            super().data_received(data)
            raise ZeroDivisionError

    async def main():
        protocol, reported = Raises(), []
        loop.set_exception_handler(lambda _loop, context: reported.append(context["exception"]))
        async with reading(protocol) as (transport, peer):
            for _ in range(2):
                arrived = protocol.happened("data_received")
                peer.write(b"x")
                await arrived
                await turns(1)
            assert not transport.is_closing()
        assert [type(error) for error in reported] == [ZeroDivisionError] * 2

    run(main())


@pytest.mark.parametrize("pair", [os.pipe, sockets, terminal])
def test_what_is_written_arrives(run, pair):
    async def main():
        protocol = Recorder()
        async with writing(protocol, pair) as (transport, peer):
            assert isinstance(transport, asyncio.WriteTransport)
            assert transport.can_write_eof()
            transport.write(b"one ")
            transport.write(bytearray(b"two "))
            transport.write(memoryview(b"three "))
            transport.writelines([b"four ", b"five"])
            transport.write(b"")
            assert transport.get_write_buffer_size() == 0
            assert await in_thread(read_end, peer.fileno(), 23) == b"one two three four five"
            lost = protocol.happened("connection_lost")
            transport.write_eof()
            transport.write_eof()
            assert await lost == (None,)
            if pair is not terminal:
                assert peer.read(1) == b""
        assert protocol.names() == ["connection_made", "connection_lost"]

    run(main())


def test_a_reader_that_is_slow_pauses_the_writer(run):
    async def main():
        protocol = Recorder()
        async with writing(protocol) as (transport, peer):
            assert transport.get_write_buffer_limits() == (16_384, 65_536)
            transport.write(LARGE)
            assert protocol.names()[-1] == "pause_writing"
            assert 65_536 < transport.get_write_buffer_size() < len(LARGE)
            resumed, lost = protocol.happened("resume_writing"), protocol.happened("connection_lost")
            transport.close()  # what was written before still goes out
            assert await in_thread(read_end, peer.fileno(), len(LARGE)) == LARGE
            await resumed
            assert await lost == (None,)
            assert peer.read(1) == b""

    run(main())


def test_abort_drops_what_waits(run):
    async def main():
        protocol = Recorder()
        async with writing(protocol) as (transport, peer):
            transport.write(LARGE)
            left = transport.get_write_buffer_size()
            lost = protocol.happened("connection_lost")
            transport.abort()
            assert transport.get_write_buffer_size() == 0
            assert await lost == (None,)
            assert len(peer.readall()) == len(LARGE) - left

    run(main())


@pytest.mark.parametrize(("written", "error"), [(b"", type(None)), (LARGE, BrokenPipeError)])
@pytest.mark.parametrize("pair", [os.pipe, sockets])
def test_a_reader_that_goes_away(run, pair, written, error):
    async def main():
        protocol = Recorder()
        async with writing(protocol, pair) as (transport, peer):
            transport.write(written)
            lost = protocol.happened("connection_lost")
            peer.close()
            (caught,) = await lost
            assert type(caught) in {error, ConnectionResetError if written and pair is sockets else error}
            assert transport.is_closing()

    run(main())


def test_writing_to_nobody_is_warned_of(run, caplog):
    async def main():
        protocol = Recorder()
        async with writing(protocol) as (transport, peer):
            lost = protocol.happened("connection_lost")
            peer.close()
            for _ in range(7):
                transport.write(b"x")
            await lost

    run(main())
    assert {record.message for record in caplog.records} == {
        "pipe closed by peer or os.write(pipe, data) raised exception."
    }


def test_the_end_of_a_terminal(run):
    """Linux answers EIO when the other side has gone, which is no fatal error."""

    async def main():
        protocol = Recorder()
        controlling, attached = terminal()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: protocol, opened(controlling, "rb"))
        arrived = protocol.happened("data_received")
        os.write(attached, b"hello")
        assert await arrived == (b"hello",)
        lost = protocol.happened("connection_lost")
        os.close(attached)
        (error,) = await lost
        assert error.errno == errno.EIO

    run(main())


def test_both_directions_of_a_terminal(run):
    async def main():
        loop = asyncio.get_running_loop()
        reader, writer = Recorder(), Recorder()
        controlling, attached = terminal()
        await loop.connect_read_pipe(lambda: reader, opened(os.dup(controlling), "rb"))
        await loop.connect_write_pipe(lambda: writer, opened(controlling, "wb"))
        arrived = reader.happened("data_received")
        os.write(attached, b"question")
        assert await arrived == (b"question",)
        writer.transport.write(b"answer")
        assert await in_thread(read_end, attached, 6) == b"answer"
        lost = [protocol.happened("connection_lost") for protocol in (reader, writer)]
        reader.transport.close()
        writer.transport.close()
        await asyncio.gather(*lost)
        os.close(attached)

    run(main())


@pytest.mark.parametrize("method", ["connect_read_pipe", "connect_write_pipe"])
def test_a_file_is_refused(loop, run, method, tmp_path):
    with (tmp_path / "file").open("w+b") as file:
        with pytest.raises(ValueError, match=r"^Pipe transport is (only )?for pipes"):
            run(getattr(loop, method)(asyncio.Protocol, file))
        file.write(b"still open")


@pytest.mark.parametrize("method", ["connect_read_pipe", "connect_write_pipe"])
def test_a_factory_that_raises(loop, run, method):
    ends = os.pipe()
    with pytest.raises(ZeroDivisionError):
        run(getattr(loop, method)(lambda: 1 / 0, None))
    for end in ends:
        os.close(end)


def test_streams_on_pipes(loop, run):
    async def main():
        here, there = os.pipe()
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), opened(here, "rb"))
        transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, opened(there, "wb"))
        writer = asyncio.StreamWriter(transport, protocol, None, loop)

        async def send():
            for at in range(0, len(LARGE), 65_536):
                writer.write(LARGE[at : at + 65_536])
                await writer.drain()
            writer.write(b"\nend\n")
            writer.close()

        sending = asyncio.create_task(send())
        assert await reader.readexactly(len(LARGE)) == LARGE
        assert await reader.readline() == b"\n"
        assert await reader.readline() == b"end\n"
        assert await reader.read() == b""
        await sending
        await turns()

    run(main())


def close_and_collect(loop):
    loop.close()
    gc.collect()


def test_an_abandoned_transport_warns(loop, run):
    class Pipe:
        """A file that does not warn itself."""

        def __init__(self, fd):
            self.fileno = lambda: fd
            self.close = lambda: os.close(fd)

    here, there = os.pipe()
    run(loop.connect_read_pipe(Recorder, Pipe(here)))
    with pytest.warns(ResourceWarning, match=r"^unclosed transport <_UnixReadPipeTransport fd=\d+ "):
        close_and_collect(loop)
    os.close(there)


def test_debug_mode_logs_the_life_of_a_transport(loop, run, caplog):
    loop.set_debug(True)
    caplog.set_level("DEBUG", "asyncio")

    async def main():
        protocol = Recorder()
        async with reading(protocol) as (transport, _peer):
            transport.pause_reading()
            transport.resume_reading()

    run(main())
    said = " ".join(record.getMessage() for record in caplog.records)
    for words in (
        "Read pipe",
        "connected: (<_UnixReadPipeTransport",
        "pauses reading",
        "resumes reading",
        "was closed by peer",
    ):
        assert words in said
