"""Flow control of stream transports: watermarks, `pause_writing`, `resume_writing`, coalescing of writes."""

from __future__ import annotations

import asyncio
import contextvars
import re
import socket
import sys

import pytest
from tests.loop.wire import Recorder, connect, in_thread, receive_all, receive_exactly, turns

MEGABYTE = 1 << 20


async def finish(protocol, transport, peer):
    """Closes both ends and waits for the transport's end."""
    transport.abort()
    if "connection_lost" not in protocol.names():
        await protocol.happened("connection_lost")
    peer.close()


async def fill(transport):
    """Writes until the kernel takes no more; returns how much."""
    written = 0
    while not transport.get_write_buffer_size():
        transport.write(b"f" * 65536)
        written += 65536
    return written


def test_limits_and_their_defaults(run):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        assert transport.get_write_buffer_limits() == (16384, 65536)
        transport.set_write_buffer_limits(high=1000)
        assert transport.get_write_buffer_limits() == (250, 1000)
        transport.set_write_buffer_limits(low=1000)
        assert transport.get_write_buffer_limits() == (1000, 4000)
        transport.set_write_buffer_limits(0)
        assert transport.get_write_buffer_limits() == (0, 0)
        transport.set_write_buffer_limits(10, 10)
        assert transport.get_write_buffer_limits() == (10, 10)
        for high, low in ((1, 2), (-1, None), (None, -1)):
            with pytest.raises(ValueError, match=r"^high \(-?\d+\) must be >= low \(-?\d+\) must be >= 0$"):
                transport.set_write_buffer_limits(high, low)
        assert transport.get_write_buffer_limits() == (10, 10)
        await finish(protocol, transport, peer)

    run(main())


def test_the_message_about_bad_limits_names_both(run):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        with pytest.raises(ValueError, match=re.escape("high (-1) must be >= low (-1) must be >= 0")):
            transport.set_write_buffer_limits(high=-1)
        await finish(protocol, transport, peer)

    run(main())


def test_a_small_write_leaves_nothing_behind(run):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        transport.write(b"small")
        assert transport.get_write_buffer_size() == 0
        assert receive_exactly(peer, 5) == b"small"
        await finish(protocol, transport, peer)

    run(main())


def test_the_protocol_pauses_above_high_and_goes_on_at_low(run):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        transport.set_write_buffer_limits(high=MEGABYTE, low=1000)
        written = await fill(transport)
        assert "pause_writing" not in protocol.names()
        rest = MEGABYTE - transport.get_write_buffer_size()
        transport.write(b"r" * rest)
        assert transport.get_write_buffer_size() == MEGABYTE
        assert "pause_writing" not in protocol.names()
        transport.write(b"!")
        assert protocol.names()[-1] == "pause_writing"
        transport.write(b"more")
        assert protocol.names().count("pause_writing") == 1
        resumed = protocol.happened("resume_writing")
        received = await in_thread(receive_exactly, peer, written + rest + 5)
        await resumed
        assert received == b"f" * written + b"r" * rest + b"!more"
        assert protocol.names() == ["connection_made", "pause_writing", "resume_writing"]
        await finish(protocol, transport, peer)

    run(main())


def test_a_high_mark_of_zero_pauses_only_what_the_kernel_refuses(run):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        transport.set_write_buffer_limits(high=0)
        transport.write(b"taken at once")
        assert "pause_writing" not in protocol.names()
        written = await fill(transport)
        assert protocol.names()[-1] == "pause_writing"
        resumed = protocol.happened("resume_writing")
        await in_thread(receive_exactly, peer, written + 13)
        await resumed
        assert transport.get_write_buffer_size() == 0
        await finish(protocol, transport, peer)

    run(main())


def test_lowering_the_limits_pauses_at_once(run):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        transport.set_write_buffer_limits(high=10 * MEGABYTE)
        await fill(transport)
        assert "pause_writing" not in protocol.names()
        transport.set_write_buffer_limits(high=1)
        assert protocol.names()[-1] == "pause_writing"
        await finish(protocol, transport, peer)

    run(main())


def test_what_resume_writing_writes_goes_out(run):
    class Continuing(Recorder):
        def resume_writing(self):
            super().resume_writing()
            self.transport.write(b"and on")
            self.transport.write_eof()

    async def main():
        protocol = Continuing()
        transport, peer = await connect(protocol)
        transport.write(b"x" * (20 * MEGABYTE))
        received = await in_thread(receive_all, peer)
        assert len(received) == 20 * MEGABYTE + 6
        assert received.endswith(b"xand on")
        await finish(protocol, transport, peer)

    run(main())


def test_contexts_of_the_flow_control_callbacks(run):
    variable = contextvars.ContextVar("variable", default="outside")

    class Noting(Recorder):
        def note(self, name, *arguments):
            super().note(name, variable.get())

    async def main():
        protocol = Noting()
        transport, peer = await connect(protocol)

        async def overflow():
            variable.set("writer")
            written = await fill(transport)
            transport.write(b"x" * MEGABYTE)
            return written + MEGABYTE

        written = await asyncio.create_task(overflow())
        resumed = protocol.happened("resume_writing")
        await in_thread(receive_exactly, peer, written)
        await resumed
        # From 3.15 on the transport keeps the context in which it was made.
        resumed_in = "outside" if sys.version_info >= (3, 15) else "writer"
        assert set(protocol.calls[1:]) == {("pause_writing", "writer"), ("resume_writing", resumed_in)}
        await finish(protocol, transport, peer)

    run(main())


@pytest.mark.parametrize("broken", ["pause_writing", "resume_writing"])
def test_flow_control_callbacks_that_raise_are_reported(loop, run, broken):
    class Broken(Recorder):
        pass

    def fail(self):
        self.note(broken)
        raise ZeroDivisionError

    setattr(Broken, broken, fail)
    told = []
    loop.set_exception_handler(lambda _loop, context: told.append(context))

    async def main():
        protocol = Broken()
        transport, peer = await connect(protocol)
        transport.write(b"x" * (20 * MEGABYTE))
        resumed = protocol.happened("resume_writing")
        await in_thread(receive_exactly, peer, 20 * MEGABYTE)
        await resumed
        await turns()
        (context,) = told
        assert context["message"] == f"protocol.{broken}() failed"
        assert context["transport"] is transport
        assert context["protocol"] is protocol
        assert not transport.is_closing()
        await finish(protocol, transport, peer)

    run(main())


def test_exceptions_that_end_the_loop_leave_write(loop):
    class Ender(Recorder):
        def pause_writing(self):
            raise SystemExit(7)

    async def main():
        protocol = Ender()
        transport, peer = await connect(protocol)
        with pytest.raises(SystemExit):
            transport.write(b"x" * (20 * MEGABYTE))
        await finish(protocol, transport, peer)

    loop.run_until_complete(main())


def test_writes_of_one_callback_are_one_segment(loop, run):
    """Head and body of an answer leave together. asyncio sends each; that difference is ours and wanted."""
    if not type(loop).__module__.startswith("data_bridge"):
        pytest.skip("asyncio sends each write by itself")

    class Answering(Recorder):
        def data_received(self, data):
            self.transport.write(b"head ")
            self.transport.write(b"body")
            self.transport.writelines([b" and", b" tail"])

    async def main():
        protocol = Answering()
        transport, peer = await connect(protocol)
        peer.sendall(b"?")
        # One send: Nagle is off, so separate ones would arrive as separate segments.
        assert await in_thread(peer.recv, 100) == b"head body and tail"
        info = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
        assert int.from_bytes(info[156:160], "little") == 1, "tcpi_data_segs_out"
        await finish(protocol, transport, peer)

    run(main())


def test_the_buffer_of_a_task_that_never_waits_is_bounded(run):
    """A program that writes and drains in a loop is stopped by the peer's pace, though it never leaves its callback."""

    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        for _ in range(100_000):
            transport.write(b"x" * 1000)
            if "pause_writing" in protocol.names():
                break
        assert "pause_writing" in protocol.names()
        assert transport.get_write_buffer_size() <= 65536 + 66_000
        await finish(protocol, transport, peer)

    run(main())
