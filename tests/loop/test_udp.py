"""Datagrams over IPv4, IPv6 and Unix sockets: `create_datagram_endpoint` and its transport."""

from __future__ import annotations

import asyncio
import contextvars
import errno
import gc
import os
import socket
import sys
import warnings
from pathlib import Path

import pytest
from tests.loop.wire import in_thread, turns

LOCAL = ("127.0.0.1", 0)


class Recorder(asyncio.DatagramProtocol):
    """Notes every call; `happened(name)` is a future of the next call of that name."""

    def __init__(self):
        self.calls = []
        self.transport = None
        self._waiting = {}

    def happened(self, name):
        return self._waiting.setdefault(name, asyncio.get_running_loop().create_future())

    def note(self, name, *arguments):
        self.calls.append((name, *arguments))
        waiting = self._waiting.pop(name, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(arguments)

    def names(self):
        return [call[0] for call in self.calls]

    def connection_made(self, transport):
        self.transport = transport
        self.note("connection_made")

    def datagram_received(self, data, addr):
        self.note("datagram_received", data, addr)

    def error_received(self, exc):
        self.note("error_received", exc)

    def pause_writing(self):
        self.note("pause_writing")

    def resume_writing(self):
        self.note("resume_writing")

    def connection_lost(self, exc):
        self.note("connection_lost", exc)


class Echo(Recorder):
    def datagram_received(self, data, addr):
        super().datagram_received(data, addr)
        self.transport.sendto(data, addr)


async def endpoint(kind=Recorder, **options):
    return await asyncio.get_running_loop().create_datagram_endpoint(kind, **options)


async def close(*protocols):
    for protocol in protocols:
        lost = protocol.happened("connection_lost")
        protocol.transport.close()
        assert await lost == (None,)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_there_and_back(run, host):
    async def main():
        served, echo = await endpoint(Echo, local_addr=(host, 0))
        address = served.get_extra_info("sockname")
        assert served.get_extra_info("peername") is None
        assert isinstance(served.get_extra_info("socket"), asyncio.trsock.TransportSocket)
        transport, protocol = await endpoint(remote_addr=address[:2])
        assert transport.get_extra_info("peername") == address
        for data in (b"hello", bytearray(b"array"), memoryview(b"view"), b"x" * 20_000):
            answered = protocol.happened("datagram_received")
            transport.sendto(data)
            assert await answered == (bytes(data), address)
        sender = transport.get_extra_info("sockname")
        assert echo.calls[-1] == ("datagram_received", b"x" * 20_000, sender)
        await close(protocol, echo)
        assert served.is_closing()
        assert served.get_extra_info("socket").fileno() == -1

    run(main())


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_without_a_peer(run, host):
    """Every spelling that the socket module takes: literals, names, IPv6 with and without its zone."""

    async def main():
        served, echo = await endpoint(Echo, local_addr=(host, 0))
        address = served.get_extra_info("sockname")
        transport, protocol = await endpoint(local_addr=(host, 0))
        spellings = [address, address[:2]]
        if host == "127.0.0.1":
            spellings += [("localhost", address[1]), ("127.1", address[1])]
        else:
            spellings += [("0:0::1", address[1], 0)]
        for spelling in spellings * 2:
            answered = protocol.happened("datagram_received")
            transport.sendto(b"hello", spelling)
            assert await answered == (b"hello", address)
        await close(protocol, echo)

    run(main())


def test_several_peers_are_told_apart(run):
    async def main():
        served, echo = await endpoint(Echo, local_addr=LOCAL)
        address = served.get_extra_info("sockname")
        clients = [await endpoint(remote_addr=address) for _ in range(5)]
        for number in range(20):
            transport, protocol = clients[number % 5]
            answered = protocol.happened("datagram_received")
            transport.sendto(b"%d" % number)
            assert await answered == (b"%d" % number, address)
            assert echo.calls[-1][2] == transport.get_extra_info("sockname")
        await close(echo, *[protocol for _transport, protocol in clients])

    run(main())


def test_a_flood_arrives_in_order(run):
    async def main():
        loop = asyncio.get_running_loop()
        transport, protocol = await endpoint(local_addr=LOCAL)
        everything = loop.create_future()
        received = []

        def note(data, _addr):
            received.append(int(data))
            if len(received) % 100 == 0 and not everything.done():
                everything.set_result(None)

        protocol.datagram_received = note
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            for batch in range(5):
                everything = loop.create_future()
                for number in range(100):
                    sock.sendto(b"%d" % (batch * 100 + number), transport.get_extra_info("sockname"))
                await everything
        assert received == list(range(500))
        await close(protocol)

    run(main())


def test_an_empty_datagram(run):
    """It is received on every version, and sent from 3.13 on."""

    async def main():
        transport, protocol = await endpoint(local_addr=LOCAL)
        address = transport.get_extra_info("sockname")
        heard = protocol.happened("datagram_received")
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.sendto(b"", address)
            assert await heard == (b"", ("127.0.0.1", sock.getsockname()[1]))
        heard = protocol.happened("datagram_received")
        transport.sendto(b"", address)
        transport.sendto(b"full", address)
        assert await heard == ((b"" if sys.version_info >= (3, 13) else b"full"), address)
        await close(protocol)

    run(main())


def test_what_the_transport_claims_to_be(run):
    async def main():
        transport, protocol = await endpoint(local_addr=LOCAL)
        assert isinstance(transport, asyncio.Transport)
        if sys.version_info >= (3, 12):
            assert isinstance(transport, asyncio.DatagramTransport)
        assert transport.get_protocol() is protocol
        assert not transport.is_closing()
        assert transport.get_write_buffer_limits() == (16 * 1024, 64 * 1024)
        transport.set_write_buffer_limits(high=100)
        assert transport.get_write_buffer_limits() == (25, 100)
        with pytest.raises(ValueError, match=r"high \(1\) must be >= low \(2\) must be >= 0"):
            transport.set_write_buffer_limits(1, 2)
        assert transport.get_write_buffer_size() == 0
        assert transport.get_extra_info("nothing", 5) == 5
        for method, arguments in (("write", (b"x",)), ("writelines", ([],)), ("write_eof", ()), ("can_write_eof", ())):
            with pytest.raises(NotImplementedError):
                getattr(transport, method)(*arguments)
        text = repr(transport)
        assert "read=polling write=<idle, bufsize=0>" in text
        await close(protocol)
        assert "closed" in repr(transport)
        transport.close()
        transport.abort()

    run(main())


def test_a_program_hangs_its_own_things_on_an_endpoint(run):
    async def main():
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
        transport.mark = "mine"
        assert vars(transport)["mark"] == "mine"
        transport.close()

    run(main())


def test_another_protocol(run):
    async def main():
        transport, first = await endpoint(local_addr=LOCAL)
        second = Recorder()
        second.transport = transport
        transport.set_protocol(second)
        heard = second.happened("datagram_received")
        transport.sendto(b"hello", transport.get_extra_info("sockname"))
        await heard
        assert first.names() == ["connection_made"]
        await close(second)

    run(main())


def test_pausing(run):
    async def main():
        transport, protocol = await endpoint(local_addr=LOCAL)
        address = transport.get_extra_info("sockname")
        assert transport.is_reading()
        transport.pause_reading()
        transport.pause_reading()
        assert not transport.is_reading()
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.sendto(b"1", address)
            sock.sendto(b"2", address)
            await turns()
            assert protocol.names() == ["connection_made"]
            transport.resume_reading()
            transport.resume_reading()
            heard = protocol.happened("datagram_received")
            await heard
            if len(protocol.calls) < 3:
                await protocol.happened("datagram_received")
        assert [call[1] for call in protocol.calls[1:]] == [b"1", b"2"]
        await close(protocol)

    run(main())


def test_pausing_in_the_middle_of_a_flood(run):
    async def main():
        transport, protocol = await endpoint(local_addr=LOCAL)
        original = protocol.datagram_received

        def once(data, addr):
            transport.pause_reading()
            original(data, addr)

        protocol.datagram_received = once
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            for number in range(40):
                sock.sendto(b"%d" % number, transport.get_extra_info("sockname"))
        for number in range(40):
            assert len(protocol.calls) == number + 1
            heard = protocol.happened("datagram_received")
            transport.resume_reading()
            assert (await heard)[0] == b"%d" % number
            await turns()
        await close(protocol)

    run(main())


def test_paused_before_it_began(run):
    async def main():
        class Patient(Recorder):
            def connection_made(self, transport):
                super().connection_made(transport)
                transport.pause_reading()

        transport, protocol = await endpoint(Patient, local_addr=LOCAL)
        transport.sendto(b"hello", transport.get_extra_info("sockname"))
        await turns()
        assert protocol.names() == ["connection_made"]
        heard = protocol.happened("datagram_received")
        transport.resume_reading()
        await heard
        await close(protocol)

    run(main())


def test_nobody_is_there(run):
    """ICMP says so, and the protocol hears it."""

    async def main():
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.bind(LOCAL)
            address = sock.getsockname()
        transport, protocol = await endpoint(remote_addr=address)
        refused = protocol.happened("error_received")
        transport.sendto(b"hello")
        (error,) = await refused
        assert type(error) is ConnectionRefusedError
        assert error.errno == errno.ECONNREFUSED
        assert error.strerror == os.strerror(errno.ECONNREFUSED)
        assert not transport.is_closing()
        await close(protocol)

    run(main())


def test_a_paused_endpoint_does_not_hear_of_errors(run):
    async def main():
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.bind(LOCAL)
            address = sock.getsockname()
        transport, protocol = await endpoint(remote_addr=address)
        transport.pause_reading()
        transport.sendto(b"hello")
        await turns()
        assert protocol.names() == ["connection_made"]
        refused = protocol.happened("error_received")
        transport.resume_reading()
        await refused
        await close(protocol)

    run(main())


def test_too_long(run):
    async def main():
        transport, protocol = await endpoint(remote_addr=("127.0.0.1", 9))
        transport.sendto(b"x" * 70_000)
        assert protocol.calls[-1][0] == "error_received"
        assert protocol.calls[-1][1].errno == errno.EMSGSIZE
        await close(protocol)
        unconnected, protocol = await endpoint(local_addr=LOCAL)
        unconnected.sendto(b"x" * 70_000, ("127.0.0.1", 9))
        assert protocol.calls[-1][1].errno == errno.EMSGSIZE
        await close(protocol)

    run(main())


def test_an_address_that_is_none(run, loop):
    """The socket module raises, which ends the transport."""
    told = []
    loop.set_exception_handler(lambda _loop, context: told.append(context))

    async def main():
        for address in (("127.0.0.1",), ("127.0.0.1", "no number"), 5, None):
            transport, protocol = await endpoint(local_addr=LOCAL)
            lost = protocol.happened("connection_lost")
            transport.sendto(b"hello", address)
            (error,) = await lost
            assert isinstance(error, TypeError)
            context = told.pop()
            assert context["message"] == "Fatal write error on datagram transport"
            assert context["exception"] is error
            assert context["transport"] is transport
            assert context["protocol"] is protocol
        transport, protocol = await endpoint(local_addr=LOCAL)
        transport.sendto(b"hello", ("no.such.host.invalid", 1))
        assert isinstance(protocol.calls[-1][1], socket.gaierror)
        await close(protocol)

    run(main())


def test_arguments_of_sendto(run):
    async def main():
        transport, protocol = await endpoint(remote_addr=("127.0.0.1", 9))
        with pytest.raises(ValueError, match=r"Invalid address: must be None or \('127.0.0.1', 9\)"):
            transport.sendto(b"hello", ("127.0.0.1", 10))
        transport.sendto(b"hello", ("127.0.0.1", 9))
        for data in ("text", [1, 2], None, 5):
            with pytest.raises(TypeError, match="data argument must be a bytes-like object, not '"):
                transport.sendto(data)
        await close(protocol)

    run(main())


def test_a_callback_that_raises(run, loop):
    told = []
    loop.set_exception_handler(lambda _loop, context: told.append(context))

    async def main():
        class Failing(Recorder):
            def datagram_received(self, data, addr):
                super().datagram_received(data, addr)
                raise ZeroDivisionError

        transport, protocol = await endpoint(Failing, local_addr=LOCAL)
        for _ in range(2):
            heard = protocol.happened("datagram_received")
            transport.sendto(b"hello", transport.get_extra_info("sockname"))
            await heard
        await turns()
        assert [type(context["exception"]) for context in told] == [ZeroDivisionError] * 2
        assert told[0]["message"].startswith("Exception in callback ")
        assert not transport.is_closing()
        await close(protocol)

    run(main())


def test_a_callback_that_ends_the_loop(loop):
    class Exiting(Recorder):
        def datagram_received(self, data, addr):
            raise SystemExit(3)

    transport, protocol = loop.run_until_complete(loop.create_datagram_endpoint(Exiting, local_addr=LOCAL))
    transport.sendto(b"hello", transport.get_extra_info("sockname"))
    with pytest.raises(SystemExit):
        loop.run_forever()
    loop.run_until_complete(close(protocol))


def fill(transport, data, address=None):
    """Sends until the kernel takes no more."""
    for _ in range(100_000):
        transport.sendto(data, address)
        if transport.get_write_buffer_size():
            return
    raise AssertionError("the kernel takes everything")


def test_flow_control(run, tmp_path):
    async def main():
        path = str(tmp_path / "there")
        there = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        there.bind(path)
        there.settimeout(10)
        transport, protocol = await endpoint(remote_addr=path, family=socket.AF_UNIX)
        transport.set_write_buffer_limits(high=10_000, low=2_000)
        fill(transport, b"x" * 1000)
        waiting = 1
        while "pause_writing" not in protocol.names():
            transport.sendto(b"%04d" % waiting + b"y" * 996)
            waiting += 1
        header = 8 if sys.version_info >= (3, 13) else 0
        assert transport.get_write_buffer_size() == waiting * (1000 + header) > 10_000
        assert f"write=<polling, bufsize={waiting * (1000 + header)}>" in repr(transport)
        resumed = protocol.happened("resume_writing")
        last = b"%04d" % (waiting - 1)

        def drain():
            numbers = []
            while True:
                data = there.recv(2000)
                if data[4:5] == b"y":
                    numbers.append(data[:4])
                if data[:4] == last:
                    return numbers

        numbers = await in_thread(drain)
        assert numbers == [b"%04d" % number for number in range(1, waiting)]
        await resumed
        await close(protocol)
        there.close()

    run(main())


def test_close_sends_what_waits(run, tmp_path):
    async def main():
        path = str(tmp_path / "there")
        there = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        there.bind(path)
        there.settimeout(10)
        transport, protocol = await endpoint(remote_addr=path, family=socket.AF_UNIX)
        fill(transport, b"x" * 1000)
        transport.sendto(b"last")
        lost = protocol.happened("connection_lost")
        transport.close()
        await turns()
        assert "connection_lost" not in protocol.names()

        def drain():
            while there.recv(2000) != b"last":
                pass

        await in_thread(drain)
        assert await lost == (None,)
        there.close()

    run(main())


def test_abort_drops_what_waits(run, tmp_path):
    async def main():
        path = str(tmp_path / "there")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
            there.bind(path)
            transport, protocol = await endpoint(remote_addr=path, family=socket.AF_UNIX)
            fill(transport, b"x" * 1000)
            lost = protocol.happened("connection_lost")
            transport.abort()
            assert await lost == (None,)

    run(main())


def test_sending_on_a_closed_endpoint_warns(run, caplog):
    async def main():
        transport, protocol = await endpoint(remote_addr=("127.0.0.1", 9))
        await close(protocol)
        for _ in range(6):
            transport.sendto(b"hello")
        assert [record.getMessage() for record in caplog.records] == ["socket.send() raised exception."] * 2

    run(main())


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_unix_datagrams(run, tmp_path, kind):
    async def main():
        prefix = str(tmp_path) if kind == "path" else f"\0data_bridge-{os.getpid()}-"
        here, there = prefix + "/here", prefix + "/there"
        server, echo = await endpoint(Echo, local_addr=there, family=socket.AF_UNIX)
        transport, protocol = await endpoint(local_addr=here, family=socket.AF_UNIX)
        name = there if kind == "path" else there.encode()
        assert server.get_extra_info("sockname") == name
        for target in (there, there, there.encode()):
            heard = protocol.happened("datagram_received")
            transport.sendto(b"hello", target)
            assert await heard == (b"hello", name)
        assert echo.calls[-1] == ("datagram_received", b"hello", transport.get_extra_info("sockname"))
        await close(protocol, echo)

    run(main())


def test_a_unix_sender_without_a_name(run, tmp_path):
    async def main():
        path = str(tmp_path / "there")
        _server, protocol = await endpoint(local_addr=path, family=socket.AF_UNIX)
        heard = protocol.happened("datagram_received")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"hello", path)
            assert await heard == (b"hello", None)
        await close(protocol)

    run(main())


def test_a_stale_path_is_replaced(run, tmp_path):
    path = str(tmp_path / "sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stale:
        stale.bind(path)

    async def main():
        _transport, protocol = await endpoint(local_addr=path, family=socket.AF_UNIX)
        await close(protocol)
        assert await in_thread(Path(path).exists)

    run(main())


def test_a_socket_of_the_users(run):
    async def main():
        sock = socket.socket(type=socket.SOCK_DGRAM)
        sock.bind(LOCAL)
        transport, protocol = await endpoint(sock=sock)
        assert not sock.getblocking()
        heard = protocol.happened("datagram_received")
        transport.sendto(b"hello", sock.getsockname())
        assert await heard == (b"hello", sock.getsockname())
        with pytest.raises(RuntimeError, match=r"File descriptor .* is used by transport"):
            asyncio.get_running_loop().add_reader(sock, print)
        transport.pause_reading()
        with pytest.raises(RuntimeError, match=r"File descriptor .* is used by transport"):
            asyncio.get_running_loop().add_reader(sock, print)
        await close(protocol)
        assert sock.fileno() == -1

    run(main())


def test_options_of_the_socket(run):
    async def main():
        transport, protocol = await endpoint(local_addr=LOCAL, reuse_port=True, allow_broadcast=True)
        sock = transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST)
        assert sock.type == socket.SOCK_DGRAM
        _second, twin = await endpoint(local_addr=sock.getsockname(), reuse_port=True)
        await close(protocol, twin)

    run(main())


def test_broadcast_to_a_fixed_address(run):
    """With allow_broadcast the socket is not connected, but everything goes to remote_addr."""

    async def main():
        server, echo = await endpoint(Echo, local_addr=LOCAL)
        address = server.get_extra_info("sockname")
        transport, protocol = await endpoint(remote_addr=address, allow_broadcast=True)
        assert transport.get_extra_info("peername") is None
        heard = protocol.happened("datagram_received")
        transport.sendto(b"hello")
        assert await heard == (b"hello", address)
        with pytest.raises(ValueError, match="Invalid address"):
            transport.sendto(b"hello", LOCAL)
        await close(protocol, echo)

    run(main())


def test_arguments_that_contradict(run):
    async def main():
        with pytest.raises(ValueError, match="unexpected address family"):
            await endpoint()
        with socket.socket() as sock, pytest.raises(ValueError, match=r"A (datagram s|UDP S)ocket was expected"):
            await endpoint(sock=sock)
        with (
            socket.socket(type=socket.SOCK_DGRAM) as sock,
            pytest.raises(ValueError, match="can not be used when sock is specified"),
        ):
            await endpoint(sock=sock, local_addr=LOCAL)
        with pytest.raises(TypeError, match="2-tuple is expected"):
            await endpoint(local_addr="127.0.0.1")
        with pytest.raises(TypeError, match="string is expected"):
            await endpoint(local_addr=b"path", family=socket.AF_UNIX)
        with pytest.raises(ValueError, match="can not get address information"):
            await endpoint(local_addr=LOCAL, remote_addr=("::1", 1))

    run(main())


def test_contexts(run):
    """Datagrams are heard in the context in which receiving was asked for."""
    variable = contextvars.ContextVar("variable", default="default")

    async def main():
        class Curious(Recorder):
            def datagram_received(self, data, addr):
                self.note("datagram_received", variable.get())
                variable.set("changed by the callback")

        variable.set("at creation")
        transport, protocol = await endpoint(Curious, local_addr=LOCAL)
        address = transport.get_extra_info("sockname")
        variable.set("later")
        heard = protocol.happened("datagram_received")
        transport.sendto(b"1", address)
        assert await heard == ("at creation",)
        heard = protocol.happened("datagram_received")
        transport.sendto(b"2", address)
        assert await heard == ("changed by the callback",)
        transport.pause_reading()
        transport.resume_reading()
        heard = protocol.happened("datagram_received")
        transport.sendto(b"3", address)
        assert await heard == ("later",)
        await close(protocol)

    run(main())


def test_a_forgotten_transport_warns(run):
    async def main():
        transport, protocol = await endpoint(local_addr=LOCAL)
        transport.pause_reading()
        protocol.transport = None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del transport, protocol
            gc.collect()
        assert [str(warning.message)[:18] for warning in caught] == ["unclosed transport"]
        assert caught[0].category is ResourceWarning

    run(main())


def test_debug_log(loop, run, caplog):
    loop.set_debug(True)
    caplog.set_level("DEBUG", "asyncio")

    async def main():
        transport, protocol = await endpoint(local_addr=LOCAL)
        transport.pause_reading()
        transport.resume_reading()
        await close(protocol)

    run(main())
    messages = [record.getMessage() for record in caplog.records]
    assert any(message.startswith("Datagram endpoint local_addr=('127.0.0.1', 0)") for message in messages)
    assert any(message.endswith("pauses reading") for message in messages)
    assert any(message.endswith("resumes reading") for message in messages)
