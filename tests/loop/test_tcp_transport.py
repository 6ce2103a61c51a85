"""Stream transports over TCP: reading, closing, errors, and what they say of themselves."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import socket
import sys
import warnings
import weakref

import pytest
from tests.loop.wire import (
    Recorder,
    collected_with_a_warning,
    connect,
    in_thread,
    receive_all,
    receive_exactly,
    reset,
    turns,
)


def test_data_arrives_as_bytes_and_in_order(run):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        for part in (b"one", b"two", b"three"):
            arrived = protocol.happened("data_received")
            peer.sendall(part)
            await arrived
        peer.close()
        await protocol.happened("connection_lost")
        assert protocol.data() == b"onetwothree"
        assert all(type(call[1]) is bytes for call in protocol.calls if call[0] == "data_received")
        assert protocol.calls[-2:] == [("eof_received",), ("connection_lost", None)]
        assert transport.is_closing()

    run(main())


def test_data_that_came_before_the_transport_is_delivered(run):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        transport.pause_reading()
        peer.sendall(b"early")
        await turns()
        assert protocol.data() == b""
        arrived = protocol.happened("data_received")
        transport.resume_reading()
        await arrived
        assert protocol.data() == b"early"
        transport.close()
        await protocol.happened("connection_lost")
        peer.close()

    run(main())


def test_a_program_hangs_its_own_things_on_a_transport(run):
    """Attributes, methods replaced on the object, and a cycle through them that the collector finds."""

    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        transport.mark, transport.myself = "mine", transport
        assert vars(transport)["mark"] == "mine"
        del transport.mark
        assert not hasattr(transport, "mark")
        write, written = transport.write, []
        transport.write = written.append
        transport.write(b"kept back")
        assert written == [b"kept back"]
        del transport.write
        transport.write(b"sent")
        assert await in_thread(receive_exactly, peer, 4) == b"sent"
        assert write.__self__ is transport
        transport.close()
        await protocol.happened("connection_lost")
        peer.close()
        forgotten = weakref.ref(transport)
        protocol.transport = None
        protocol.calls.clear()
        del transport, write
        gc.collect()
        assert forgotten() is None

    run(main())


def test_transports_are_made_while_the_collector_runs(run):
    """Each allocation may start it, also the one in which a transport is made."""

    async def main():
        server = await asyncio.get_running_loop().create_server(Recorder, "127.0.0.1", 0)
        threshold = gc.get_threshold()
        gc.set_threshold(1)
        try:
            for _ in range(5):
                protocol = Recorder()
                address = server.sockets[0].getsockname()
                transport, _ = await asyncio.get_running_loop().create_connection(lambda p=protocol: p, *address)
                lost = protocol.happened("connection_lost")
                transport.close()
                await lost
        finally:
            gc.set_threshold(*threshold)
        server.close()
        await server.wait_closed()

    run(main())


def test_large_messages_arrive_as_they_were_sent(run):
    """Sizes around the one from which a read lands in memory of its own, large ones and small ones in turn."""

    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        expected = b""
        for size in (40_000, 100_000, 1, 122_880, 122_881, 300_000, 0, 5, 70_000):
            payload = bytes(range(256)) * (size // 256 + 1)
            expected += payload
            sending = asyncio.ensure_future(in_thread(peer.sendall, payload))
            while len(protocol.data()) < len(expected):
                await protocol.happened("data_received")
            await sending
        assert protocol.data() == expected
        transport.close()
        await protocol.happened("connection_lost")
        peer.close()

    run(main())


def test_megabytes_arrive_whole(run):
    payload = bytes(range(256)) * 20_000

    async def main():
        protocol = Recorder()
        _transport, peer = await connect(protocol)
        lost = protocol.happened("connection_lost")

        def send():
            peer.sendall(payload)
            peer.close()

        await in_thread(send)
        await lost
        assert protocol.data() == payload

    run(main())


def test_two_busy_connections_take_turns(run):
    """A peer that sends without end does not keep another one waiting."""

    async def main():
        busy, quiet = Recorder(), Recorder()
        first, flood = await connect(busy)
        second, whisper = await connect(quiet)
        stop = False

        def pour():
            flood.settimeout(None)
            block = b"x" * (1 << 20)
            while not stop:
                flood.sendall(block)
            flood.close()

        pouring = asyncio.ensure_future(in_thread(pour))
        for _ in range(20):
            arrived = quiet.happened("data_received")
            whisper.sendall(b"!")
            await arrived
        stop = True
        await busy.happened("connection_lost")
        await pouring
        second.close()
        await quiet.happened("connection_lost")
        whisper.close()
        assert first.is_closing()

    run(main())


def test_pausing_inside_data_received_holds_the_rest_back(run):
    class Stopper(Recorder):
        def data_received(self, data):
            super().data_received(data)
            self.transport.pause_reading()

    async def main():
        protocol = Stopper()
        transport, peer = await connect(protocol)
        arrived = protocol.happened("data_received")
        peer.sendall(b"first")
        await arrived
        peer.sendall(b"second")
        peer.close()
        await turns()
        assert protocol.data() == b"first"
        assert not transport.is_reading()
        transport.pause_reading()
        arrived = protocol.happened("data_received")
        transport.resume_reading()
        transport.resume_reading()
        await arrived
        assert protocol.data() == b"firstsecond"
        lost = protocol.happened("connection_lost")
        transport.resume_reading()
        await lost
        assert not transport.is_reading()

    run(main())


def test_a_transport_paused_in_connection_made_does_not_read(run):
    class Paused(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            transport.pause_reading()

    async def main():
        protocol = Paused()
        transport, peer = await connect(protocol)
        peer.sendall(b"data")
        await turns(5)
        assert protocol.names() == ["connection_made"]
        arrived = protocol.happened("data_received")
        transport.resume_reading()
        await arrived
        transport.abort()
        await protocol.happened("connection_lost")
        peer.close()

    run(main())


def test_half_close_keeps_the_other_direction_open(run):
    async def main():
        protocol = Recorder()
        protocol.keep_open = True
        transport, peer = await connect(protocol)
        ended = protocol.happened("eof_received")
        peer.sendall(b"question")
        peer.shutdown(socket.SHUT_WR)
        await ended
        assert protocol.data() == b"question"
        assert not transport.is_closing()
        transport.write(b"answer")
        transport.close()
        await protocol.happened("connection_lost")
        assert receive_all(peer) == b"answer"
        assert protocol.names().count("eof_received") == 1
        peer.close()

    run(main())


def test_write_eof_after_the_output(run):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        assert transport.can_write_eof()
        transport.write(b"x" * 3_000_000)
        transport.write_eof()
        transport.write_eof()
        with pytest.raises(RuntimeError, match=r"^Cannot call write\(\) after write_eof\(\)$"):
            transport.write(b"late")
        with pytest.raises(RuntimeError, match=r"^Cannot call write(lines)?\(\) after write_eof\(\)$"):
            transport.writelines([b"late"])
        assert len(await in_thread(receive_all, peer)) == 3_000_000
        arrived = protocol.happened("data_received")
        peer.sendall(b"still heard")
        await arrived
        assert protocol.data() == b"still heard"
        peer.close()
        await protocol.happened("connection_lost")

    run(main())


def test_a_reset_is_an_error(run):
    async def main():
        protocol = Recorder()
        _transport, peer = await connect(protocol)
        lost = protocol.happened("connection_lost")
        reset(peer)
        (error,) = await lost
        assert type(error) is ConnectionResetError
        assert error.errno == 104
        assert error.strerror == "Connection reset by peer"
        assert protocol.names() == ["connection_made", "connection_lost"]

    run(main())


def test_close_sends_what_was_written(run):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        transport.write(b"x" * 3_000_000)
        transport.close()
        transport.close()
        assert transport.is_closing()
        transport.write(b"late, and dropped or not: asyncio sends it if the buffer is not empty yet")
        received = await in_thread(receive_all, peer)
        assert received.startswith(b"x" * 3_000_000)
        if protocol.names()[-1] != "connection_lost":
            await protocol.happened("connection_lost")
        assert protocol.calls[-1] == ("connection_lost", None)
        assert protocol.names().count("connection_lost") == 1
        peer.close()

    run(main())


def test_connection_lost_comes_later_and_once(run):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        order = []
        transport.close()
        asyncio.get_running_loop().call_soon(order.append, "after")
        assert "connection_lost" not in protocol.names()
        transport.abort()
        await turns()
        assert protocol.names().count("connection_lost") == 1
        assert order == ["after"]
        assert transport.get_protocol() is None
        assert peer.recv(10) == b""
        peer.close()

    run(main())


def test_abort_drops_what_the_kernel_did_not_take(run):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        transport.write(b"x" * 30_000_000)
        assert transport.get_write_buffer_size() > 0
        transport.abort()
        assert transport.get_write_buffer_size() == 0
        await protocol.happened("connection_lost")
        assert protocol.calls[-1] == ("connection_lost", None)
        assert len(await in_thread(receive_all, peer)) < 30_000_000
        peer.close()

    run(main())


def test_abort_after_a_small_write_does_not_lose_it(run):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        transport.write(b"last words")
        transport.abort()
        await protocol.happened("connection_lost")
        assert receive_all(peer) == b"last words"
        peer.close()

    run(main())


def test_writes_on_a_lost_connection_are_warned_of(run, caplog):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        transport.abort()
        with caplog.at_level(logging.WARNING, "asyncio"):
            for _ in range(4):
                transport.write(b"x")
            assert not caplog.records
            transport.write(b"x")
            transport.write(b"")
            transport.write(b"x")
        assert [record.getMessage() for record in caplog.records] == ["socket.send() raised exception."] * 2
        await protocol.happened("connection_lost")
        peer.close()

    run(main())


def test_a_failed_write_ends_the_connection(run):
    async def main():
        protocol = Recorder()
        protocol.keep_open = True
        transport, peer = await connect(protocol)
        transport.pause_reading()
        reset(peer)
        lost = protocol.happened("connection_lost")
        transport.write(b"x")
        assert transport.is_closing()
        (error,) = await lost
        assert isinstance(error, OSError)

    run(main())


@pytest.mark.parametrize("data", ["text", None, 1, [b"x"]], ids=repr)
def test_what_cannot_be_written(run, data):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        kinds = "bytes, bytearray, or memoryview" if sys.version_info >= (3, 14) else "bytes-like"
        message = f"data argument must be a {kinds} object, not '{type(data).__name__}'"
        with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
            transport.write(data)
        transport.abort()
        await protocol.happened("connection_lost")
        peer.close()

    run(main())


def test_what_can_be_written(run):
    class Bytes(bytes):
        pass

    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        changing = bytearray(b"three")
        transport.write(b"one ")
        transport.write(Bytes(b"two "))
        transport.write(changing)
        changing[:] = b"XXXXX"
        transport.write(memoryview(b" four five")[:5])
        transport.write(b"")
        transport.writelines([b" six", bytearray(b" seven"), memoryview(b" eight")])
        transport.writelines([])
        transport.writelines(part for part in (b" nine", b" ten"))
        transport.close()
        await protocol.happened("connection_lost")
        assert receive_all(peer) == b"one two three four six seven eight nine ten"
        peer.close()

    run(main())


def test_a_mutable_buffer_may_change_while_it_waits(loop, run):
    """asyncio keeps a view of it: there the later change is sent."""
    if not type(loop).__module__.startswith("data_bridge"):
        pytest.skip("a known defect of the oracle")

    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        changing = bytearray(b"a" * 10_000_000)
        transport.write(changing)
        changing[:] = b"b" * len(changing)
        transport.close()
        assert await in_thread(receive_all, peer) == b"a" * 10_000_000
        peer.close()

    run(main())


def test_many_parts_are_sent_in_order(run):
    parts = [b"%d," % number for number in range(5000)]

    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        for part in parts[:2500]:
            transport.write(part)
        transport.writelines(parts[2500:])
        transport.close()
        assert await in_thread(receive_all, peer) == b"".join(parts)
        peer.close()

    run(main())


def test_output_leaves_before_the_program_blocks_in_its_next_callback(loop, run):
    """What a callback has written is on the wire when the next turn begins."""

    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        transport.write(b"ping")
        await asyncio.sleep(0)
        assert await asyncio.sleep(0, receive_exactly(peer, 4)) == b"ping"
        transport.abort()
        await protocol.happened("connection_lost")
        peer.close()

    run(main())


def test_a_write_outside_the_running_loop_leaves_at_once(loop):
    protocol = Recorder()
    transport, peer = loop.run_until_complete(connect(protocol))
    transport.write(b"hello")
    assert receive_exactly(peer, 5) == b"hello"
    transport.close()
    loop.run_until_complete(turns())
    peer.close()


def test_a_write_from_another_thread_leaves_at_once(run):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)

        def from_there():
            transport.write(b"hello")
            return receive_exactly(peer, 5)

        assert await in_thread(from_there) == b"hello"
        transport.abort()
        await protocol.happened("connection_lost")
        peer.close()

    run(main())


def test_the_answer_is_on_the_wire_when_the_loop_stops(loop):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        transport.write(b"bye")
        return transport, peer

    transport, peer = loop.run_until_complete(main())
    assert receive_exactly(peer, 3) == b"bye"
    transport.close()
    loop.run_until_complete(turns())
    peer.close()


def test_the_class_and_its_representation(run):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        number = transport.get_extra_info("socket").fileno()
        assert isinstance(transport, asyncio.Transport)
        assert isinstance(transport, asyncio.ReadTransport)
        name = type(transport).__name__
        assert repr(transport) == f"<{name} fd={number} read=polling write=<idle, bufsize=0>>"
        transport.pause_reading()
        assert f"<{name} fd={number} read=idle " in repr(transport)
        transport.write(b"x" * 30_000_000)
        assert re.search(r"write=<polling, bufsize=\d{3,}>>$", repr(transport))
        transport.abort()
        assert repr(transport) == f"<{name} closing fd={number} read=idle write=<idle, bufsize=0>>"
        await protocol.happened("connection_lost")
        assert repr(transport) == f"<{name} closed fd={number}>"
        peer.close()

    run(main())


def test_extra_info(run):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        sock = transport.get_extra_info("socket")
        assert type(sock) is asyncio.trsock.TransportSocket
        assert transport.get_extra_info("sockname") == sock.getsockname() == peer.getpeername()
        assert transport.get_extra_info("peername") == peer.getsockname()
        assert transport.get_extra_info("sslcontext") is None
        assert transport.get_extra_info("nothing", 42) == 42
        assert transport.get_extra_info(name="nothing", default=1) == 1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        transport.close()
        await protocol.happened("connection_lost")
        assert transport.get_extra_info("socket") is sock
        assert sock.fileno() == -1
        assert transport.get_extra_info("peername") == peer.getsockname()
        peer.close()

    run(main())


def test_the_protocol_can_be_replaced(run):
    class Buffered(asyncio.BufferedProtocol):
        def __init__(self):
            self.memory = bytearray(4)
            self.data = b""
            self.done = asyncio.get_running_loop().create_future()

        def get_buffer(self, sizehint):
            assert sizehint == -1
            return self.memory

        def buffer_updated(self, nbytes):
            self.data += self.memory[:nbytes]

        def eof_received(self):
            self.done.set_result(None)

    async def main():
        first = Recorder()
        transport, peer = await connect(first)
        arrived = first.happened("data_received")
        peer.sendall(b"plain")
        await arrived
        second = Buffered()
        transport.set_protocol(second)
        assert transport.get_protocol() is second
        peer.sendall(b"into a small buffer")
        peer.close()
        await second.done
        assert first.data() == b"plain"
        assert second.data == b"into a small buffer"
        await turns()

    run(main())


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("data_received", "Fatal error: protocol.data_received() call failed."),
        ("eof_received", "Fatal error: protocol.eof_received() call failed."),
    ],
)
def test_a_protocol_that_raises_is_reported_and_closed(loop, run, broken, message):
    class Broken(Recorder):
        pass

    def fail(*_arguments):
        raise ZeroDivisionError

    setattr(Broken, broken, fail)
    told = []
    loop.set_exception_handler(lambda _loop, context: told.append(context))

    async def main():
        protocol = Broken()
        transport, peer = await connect(protocol)
        lost = protocol.happened("connection_lost")
        peer.sendall(b"x")
        peer.shutdown(socket.SHUT_WR)
        (error,) = await lost
        (context,) = told
        assert context["message"] == message
        assert context["exception"] is error
        assert context["transport"] is transport
        assert context["protocol"] is protocol
        assert isinstance(error, ZeroDivisionError)
        peer.close()

    run(main())


@pytest.mark.parametrize(
    ("get_buffer", "message"),
    [
        (lambda _size: b"", "Fatal error: protocol.get_buffer() call failed."),
        (lambda _size: 1 / 0, "Fatal error: protocol.get_buffer() call failed."),
        (lambda _size: b"read only", "Fatal read error on socket transport"),
    ],
)
def test_a_bad_buffer_is_reported_and_closed(loop, run, get_buffer, message):
    told = []
    loop.set_exception_handler(lambda _loop, context: told.append(context["message"]))

    async def main():
        lost = loop.create_future()

        class Buffered(asyncio.BufferedProtocol):
            def get_buffer(self, sizehint):
                return get_buffer(sizehint)

            def connection_lost(self, exc):
                lost.set_result(exc)

        _transport, peer = await connect(Buffered())
        peer.sendall(b"x")
        assert await lost is not None
        assert told == [message]
        peer.close()

    run(main())


def test_connection_made_that_raises_is_reported(loop, run):
    told = []
    loop.set_exception_handler(lambda _loop, context: told.append(context))

    class Broken(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            raise ZeroDivisionError

    async def main():
        protocol = Broken()
        transport, peer = await connect(protocol)
        (context,) = told
        assert re.match(r"Exception in callback .*Broken\.connection_made\(", context["message"])
        assert not transport.is_closing()
        transport.close()
        await protocol.happened("connection_lost")
        peer.close()

    run(main())


@pytest.mark.parametrize("exception", [SystemExit, KeyboardInterrupt])
def test_exceptions_that_end_the_loop(loop, exception):
    class Ender(Recorder):
        def data_received(self, data):
            super().data_received(data)
            raise exception

    protocol = Ender()
    transport, peer = loop.run_until_complete(connect(protocol))
    peer.sendall(b"x")
    with pytest.raises(exception):
        loop.run_forever()
    assert protocol.data() == b"x"
    assert not transport.is_closing()
    transport.close()
    loop.run_until_complete(turns())
    peer.close()


def test_what_ends_the_loop_does_not_hold_back_what_was_written(loop):
    protocol = Recorder()
    transport, peer = loop.run_until_complete(connect(protocol))

    def write_and_leave():
        transport.write(b"last")
        raise SystemExit

    loop.call_soon(write_and_leave)
    with pytest.raises(SystemExit):
        loop.run_forever()
    assert receive_exactly(peer, 4) == b"last"
    transport.close()
    loop.run_until_complete(turns())
    peer.close()


def test_an_abandoned_transport_is_collected_with_a_warning(run):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        transport.pause_reading()
        gone = weakref.ref(transport)
        number = transport.get_extra_info("socket").fileno()
        protocol.transport = None
        with collected_with_a_warning(f"unclosed transport <{type(transport).__name__} fd={number} "):
            del transport
            await turns()
        gc.collect()  # asyncio's own transport is in a cycle from 3.15 on, and the recorded warning held it until now
        assert gone() is None
        assert peer.recv(10) == b""
        peer.close()

    run(main())


def test_a_transport_in_a_cycle_is_collected_with_a_warning(run):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        transport.pause_reading()
        with collected_with_a_warning("unclosed transport <"):
            del transport, protocol
        assert peer.recv(10) == b""
        peer.close()

    run(main())


def test_a_reading_transport_needs_nobody(run):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        protocol.transport = None
        gone = weakref.ref(transport)
        del transport
        gc.collect()
        assert gone() is not None
        arrived = protocol.happened("data_received")
        peer.sendall(b"x")
        await arrived
        peer.close()
        await protocol.happened("connection_lost")
        gc.collect()
        assert gone() is None

    run(main())


def test_a_closed_loop_lets_its_transports_go(loop_factory):
    loop = loop_factory()
    protocol = Recorder()
    transport, peer = loop.run_until_complete(connect(protocol))
    loop.close()
    protocol.transport = None
    with collected_with_a_warning("unclosed transport <"):
        del transport, loop
    assert peer.recv(1) == b""
    peer.close()


@pytest.mark.parametrize("paused", [False, True])
def test_the_descriptor_of_a_transport_is_taken(loop, run, paused):
    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        if paused:
            transport.pause_reading()
        sock = transport.get_extra_info("socket")
        message = re.escape(f"is used by transport {transport!r}")
        for use in (loop.add_reader, loop.add_writer):
            with pytest.raises(RuntimeError, match=message):
                use(sock, print)
            with pytest.raises(RuntimeError, match=message):
                use(sock.fileno(), print)
        for use in (loop.remove_reader, loop.remove_writer):
            with pytest.raises(RuntimeError, match=message):
                use(sock)
        transport.abort()
        await protocol.happened("connection_lost")
        peer.close()

    run(main())


def test_debug_mode_logs_the_life_of_a_transport(loop, run, caplog):
    loop.set_debug(True)

    async def main():
        protocol = Recorder()
        transport, peer = await connect(protocol)
        with caplog.at_level(logging.DEBUG, "asyncio"):
            transport.pause_reading()
            transport.resume_reading()
            peer.close()
            await protocol.happened("connection_lost")
        text = caplog.text
        assert "pauses reading" in text
        assert "resumes reading" in text
        assert "received EOF" in text

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run(main())


def test_debug_mode_warns_of_slow_protocols(loop, run, caplog):
    class Slow(Recorder):
        def data_received(self, data):
            loop.slow_callback_duration = 0
            super().data_received(data)

    loop.set_debug(True)
    loop.slow_callback_duration = 60

    async def main():
        protocol = Slow()
        transport, peer = await connect(protocol)
        arrived = protocol.happened("data_received")
        with caplog.at_level(logging.WARNING, "asyncio"):
            peer.sendall(b"x")
            await arrived
        transport.abort()
        await protocol.happened("connection_lost")
        peer.close()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run(main())
    first = caplog.records[0].getMessage()
    assert re.match(r"Executing <.*Transport.* took \d\.\d{3} seconds$", first), first
