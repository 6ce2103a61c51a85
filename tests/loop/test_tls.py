"""TLS on our transports: asyncio's `SSLProtocol`, whose application data goes a shorter way.

The other end is an engine of the test's own over a plain socket, so that it decides which bytes come when.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import ssl
import weakref
from pathlib import Path

import pytest
from tests.loop.wire import Recorder, in_thread, tcp_pair, turns

CERTIFICATE = Path(__file__).parents[1] / "support" / "localhost.pem"
LARGE = bytes(range(256)) * 4096  # 1 MiB: many records


def server_context():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    return context


def client_context():
    return ssl.create_default_context(cafile=CERTIFICATE)


class Peer:
    """A TLS server on a blocking socket."""

    def __init__(self, sock):
        self.sock = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._engine = server_context().wrap_bio(self._incoming, self._outgoing, server_side=True)

    def handshake(self):
        self._complete(self._engine.do_handshake)
        self.sock.sendall(self._outgoing.read())

    def encrypt(self, data):
        """The records of `data`."""
        self._complete(lambda: self._engine.write(data))
        return self._outgoing.read()

    def goodbye(self):
        """The record that ends the stream."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self._engine.unwrap()
        return self._outgoing.read()

    def receive(self, size):
        found = bytearray()
        while len(found) < size and (data := self._complete(self._engine.read)):
            found += data
        return bytes(found)

    def _complete(self, step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self.sock.sendall(self._outgoing.read())
                self._incoming.write(self.sock.recv(65_536))


@contextlib.asynccontextmanager
async def conversation(protocol):
    """A TLS transport of the loop under test, and its peer."""
    here, there = tcp_pair()
    with there:
        peer = Peer(there)
        loop = asyncio.get_running_loop()
        (transport, _), _ = await asyncio.gather(
            loop.create_connection(lambda: protocol, sock=here, ssl=client_context(), server_hostname="localhost"),
            in_thread(peer.handshake),
        )
        yield transport, peer
        transport.abort()
        if "connection_lost" not in protocol.names():
            await protocol.happened("connection_lost")


async def received(protocol, size):
    while len(protocol.data()) < size:
        await protocol.happened("data_received")
    return protocol.data()


def whole(peer, size):
    """The records of that much of `LARGE`."""
    return b"".join(peer.encrypt(LARGE[at : min(at + 16_384, size)]) for at in range(0, size, 16_384))


def run_recording(run, main, protocol_type=Recorder):
    """Runs `main(protocol, transport, peer)`."""

    async def outer():
        protocol = protocol_type()
        async with conversation(protocol) as (transport, peer):
            await main(protocol, transport, peer)
        return protocol

    return run(outer())


@pytest.mark.parametrize("size", [1, 64, 16_383, 16_384, 16_385, 65_536, len(LARGE)])
def test_what_is_sent_arrives(run, size):
    async def main(protocol, transport, peer):
        transport.write(LARGE[:size])
        assert await in_thread(peer.receive, size) == LARGE[:size]
        sending = asyncio.create_task(in_thread(peer.sock.sendall, whole(peer, size)))
        assert await received(protocol, size) == LARGE[:size]
        await sending

    run_recording(run, main)


def test_every_kind_of_buffer_is_written(run):
    async def main(_protocol, transport, peer):
        transport.write(b"")
        transport.write(bytearray(b"one "))
        transport.write(memoryview(b"two "))
        transport.writelines([b"three ", bytearray(b"four ")])
        transport.write(data=b"five")
        with pytest.raises(TypeError, match="^data: expecting a bytes-like instance, got str$"):
            transport.write("text")
        assert await in_thread(peer.receive, 23) == b"one two three four five"

    run_recording(run, main)


def test_a_write_replaced_below_sees_the_records(run):
    async def main(_protocol, transport, peer):
        below, seen = transport._ssl_protocol._transport, []
        write = below.write
        below.write = lambda data: (seen.append(bytes(data)), write(data))
        transport.write(b"secret")
        assert await in_thread(peer.receive, 6) == b"secret"
        assert seen
        assert b"secret" not in b"".join(seen)
        del below.write

    run_recording(run, main)


def test_records_come_in_pieces(run):
    async def main(protocol, _transport, peer):
        records = peer.encrypt(b"first") + peer.encrypt(b"second")
        for at in range(len(records)):
            await in_thread(peer.sock.sendall, records[at : at + 1])
            await turns(1)
        assert await received(protocol, 11) == b"firstsecond"

    run_recording(run, main)


@pytest.mark.parametrize("before", [0, 10, 40_000])
def test_the_peer_says_goodbye(run, before):
    async def main(protocol, transport, peer):
        lost = protocol.happened("connection_lost")
        await in_thread(peer.sock.sendall, whole(peer, before) + peer.goodbye())
        assert await lost == (None,)
        assert protocol.data() == LARGE[:before]
        assert protocol.names()[-2:] == ["eof_received", "connection_lost"]
        assert transport.is_closing()

    run_recording(run, main)


def test_bytes_that_are_no_record_end_the_connection(run):
    async def main(protocol, _transport, peer):
        reported = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))
        lost = protocol.happened("connection_lost")
        record = peer.encrypt(b"good")
        await in_thread(peer.sock.sendall, record[:-1] + bytes([record[-1] ^ 1]))
        (error,) = await lost
        assert isinstance(error, ssl.SSLError)
        assert protocol.data() == b""
        assert not reported  # an OSError is no news

    run_recording(run, main)


class Failing(Recorder):
    def data_received(self, data):
        super().data_received(data)
        raise ZeroDivisionError("in data_received")


def test_an_error_of_the_protocol_is_reported(run, loop):
    reported = []

    async def main(protocol, _transport, peer):
        loop.set_exception_handler(lambda _loop, context: reported.append(context))
        lost = protocol.happened("connection_lost")
        await in_thread(peer.sock.sendall, peer.encrypt(b"x"))
        (error,) = await lost
        assert isinstance(error, ZeroDivisionError)

    run_recording(run, main, Failing)
    (context,) = reported
    assert context["message"] == "Fatal error on SSL protocol"
    assert isinstance(context["exception"], ZeroDivisionError)
    assert isinstance(context["protocol"], asyncio.sslproto.SSLProtocol)


class Leaving(Recorder):
    def data_received(self, data):
        raise SystemExit(7)


def test_system_exit_leaves_the_loop(loop):
    async def main():
        here, there = tcp_pair()
        with there:
            peer = Peer(there)
            protocol = Leaving()
            await asyncio.gather(
                loop.create_connection(lambda: protocol, sock=here, ssl=client_context(), server_hostname="localhost"),
                in_thread(peer.handshake),
            )
            there.sendall(peer.encrypt(b"x"))
            await protocol.happened("connection_lost")

    with pytest.raises(SystemExit) as left:
        loop.run_until_complete(main())
    assert left.value.code == 7
    for task in asyncio.all_tasks(loop):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)


class Pausing(Recorder):
    def data_received(self, data):
        super().data_received(data)
        self.transport.pause_reading()


def test_a_pause_holds_what_comes(run):
    async def main(protocol, transport, peer):
        first = protocol.happened("data_received")
        await in_thread(peer.sock.sendall, peer.encrypt(b"first"))
        await first
        assert not transport.is_reading()
        await in_thread(peer.sock.sendall, peer.encrypt(b"second"))
        await turns(5)
        assert protocol.data() == b"first"
        second = protocol.happened("data_received")
        transport.resume_reading()
        await second
        assert protocol.data() == b"firstsecond"

    run_recording(run, main, Pausing)


def test_a_peer_that_does_not_read_pauses_the_writer(run):
    async def main(protocol, transport, peer):
        paused = protocol.happened("pause_writing")
        written = 0
        while not paused.done():
            transport.write(LARGE)
            written += len(LARGE)
            await turns(1)
        assert transport.get_write_buffer_size() > 0
        resumed = protocol.happened("resume_writing")
        reading = asyncio.create_task(in_thread(peer.receive, written))
        await resumed
        assert await reading == LARGE * (written // len(LARGE))

    run_recording(run, main)


def test_a_mark_of_zero(run):
    async def main(protocol, transport, peer):
        transport.set_write_buffer_limits(0)
        transport.write(b"one")
        transport.write(b"two")
        assert await in_thread(peer.receive, 6) == b"onetwo"
        await in_thread(peer.sock.sendall, peer.encrypt(b"three"))
        await received(protocol, 5)
        return protocol

    protocol = run_recording(run, main)
    marks = [name for name in protocol.names() if name.endswith("_writing")]
    assert marks[:3] == ["pause_writing", "resume_writing", "pause_writing"]


class Lending(asyncio.BufferedProtocol, Recorder):
    def __init__(self):
        super().__init__()
        self._buffer = bytearray(1000)

    def get_buffer(self, sizehint):
        return self._buffer

    def buffer_updated(self, nbytes):
        self.note("data_received", bytes(self._buffer[:nbytes]))


def test_a_protocol_that_lends_its_buffer(run):
    async def main(protocol, transport, peer):
        transport.write(b"question")
        assert await in_thread(peer.receive, 8) == b"question"
        await in_thread(peer.sock.sendall, whole(peer, 5000))
        assert await received(protocol, 5000) == LARGE[:5000]

    run_recording(run, main, Lending)


def test_another_protocol_takes_over(run):
    async def main(protocol, transport, peer):
        first = protocol.happened("data_received")
        await in_thread(peer.sock.sendall, peer.encrypt(b"first"))
        await first
        other = Recorder()
        transport.set_protocol(other)
        assert transport.get_protocol() is other
        await in_thread(peer.sock.sendall, peer.encrypt(b"second"))
        assert await received(other, 6) == b"second"
        lost = other.happened("connection_lost")
        transport.abort()
        await lost
        protocol.note("connection_lost", None)

    run_recording(run, main)


def test_what_is_written_after_the_end_is_warned_of(run, caplog):
    async def main(protocol, transport, peer):
        lost = protocol.happened("connection_lost")
        await in_thread(peer.sock.sendall, peer.goodbye())
        await lost
        for _ in range(6):
            transport.write(b"too late")

    with caplog.at_level(logging.WARNING, "asyncio"):
        run_recording(run, main)
    assert "SSL connection is closed" in caplog.messages


def test_what_is_known_of_the_connection(run):
    async def main(_protocol, transport, _peer):
        assert isinstance(transport, asyncio.Transport)
        assert isinstance(transport.get_extra_info("ssl_object"), ssl.SSLObject)
        assert isinstance(transport.get_extra_info("sslcontext"), ssl.SSLContext)
        assert transport.get_extra_info("peercert")["subject"] == ((("commonName", "localhost"),),)
        assert transport.get_extra_info("cipher") == transport.get_extra_info("ssl_object").cipher()
        assert transport.get_extra_info("peername")[0] == "127.0.0.1"
        assert not transport.can_write_eof()
        with pytest.raises(NotImplementedError):
            transport.write_eof()

    run_recording(run, main)


def test_streams_over_tls_and_an_upgrade(run):
    async def serve(reader, writer):
        assert await reader.readline() == b"STARTTLS\n"
        writer.write(b"go\n")
        await writer.start_tls(server_context())
        while line := await reader.readline():
            writer.write(line.upper())
            await writer.drain()
        writer.close()

    async def main():
        served = asyncio.get_running_loop().create_future()

        async def serving(reader, writer):
            served.set_result(await serve(reader, writer))

        server = await asyncio.start_server(serving, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"STARTTLS\n")
        assert await reader.readline() == b"go\n"
        await writer.start_tls(client_context(), server_hostname="localhost")
        for line in (b"first\n", LARGE.replace(b"\n", b"-")[:50_000] + b"\n"):
            writer.write(line)
            assert await reader.readline() == line.upper()
        writer.close()
        await writer.wait_closed()
        await served
        server.close()
        await server.wait_closed()

    run(main())


def test_a_transport_that_is_closed_twice_has_no_protocol(loop):
    async def main():
        here, there = tcp_pair()
        with there:
            peer = Peer(there)
            context = client_context()
            (transport, protocol), _ = await asyncio.gather(
                loop.create_connection(Recorder, sock=here, ssl=context, server_hostname="localhost"),
                in_thread(peer.handshake),
            )
            lost = protocol.happened("connection_lost")
            transport.close()
            await in_thread(there.sendall, peer.goodbye())
            await lost
            transport.close()
            with pytest.raises(AttributeError):
                transport.write(b"nobody is there")
            context = weakref.ref(context)
            await turns()
            gc.collect()
            assert context() is None, "nothing of the connection is kept by its transport"

    loop.run_until_complete(main())


@pytest.mark.parametrize("side", ["client", "server"])
def test_a_handshake_that_never_comes(loop, side):
    async def connect(sock):
        options = {"ssl": client_context(), "server_hostname": "localhost"}
        await loop.create_connection(Recorder, sock=sock, ssl_handshake_timeout=0.01, **options)

    async def accept(sock):
        await loop.connect_accepted_socket(Recorder, sock=sock, ssl=server_context(), ssl_handshake_timeout=0.01)

    async def main():
        here, there = tcp_pair()
        with there, pytest.raises(ConnectionAbortedError, match=r"^SSL handshake is taking longer than 0.01 seconds"):
            await (connect if side == "client" else accept)(here)

    loop.run_until_complete(main())


def test_a_goodbye_that_never_comes(loop):
    async def main():
        here, there = tcp_pair()
        with there:
            peer = Peer(there)
            options = {"ssl": client_context(), "server_hostname": "localhost", "ssl_shutdown_timeout": 0.01}
            (transport, protocol), _ = await asyncio.gather(
                loop.create_connection(Recorder, sock=here, **options), in_thread(peer.handshake)
            )
            lost = protocol.happened("connection_lost")
            transport.close()
            (error,) = await lost
            assert type(error) is TimeoutError
            assert str(error) == "SSL shutdown timed out"

    loop.run_until_complete(main())


@pytest.mark.parametrize("options", [{"ssl_handshake_timeout": 0}, {"ssl_shutdown_timeout": -1}])
def test_time_outs_must_be_positive(loop, options):
    async def main():
        here, there = tcp_pair()
        with here, there, pytest.raises(ValueError, match="should be a positive number"):
            await loop.create_connection(
                Recorder, sock=here, ssl=client_context(), server_hostname="localhost", **options
            )

    loop.run_until_complete(main())
