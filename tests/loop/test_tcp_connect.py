"""`create_connection`, and the signatures of everything that opens connections."""

from __future__ import annotations

import asyncio
import inspect
import socket
import sys

import pytest
from tests.loop.wire import Recorder, receive_exactly, turns

import data_bridge


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        yield listening


@pytest.fixture
def refused():
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


async def finish(transport, protocol):
    transport.abort()
    await protocol.happened("connection_lost")


@pytest.mark.parametrize(
    "name",
    [
        "create_connection",
        "create_server",
        "connect_accepted_socket",
        "start_tls",
        "getaddrinfo",
        "getnameinfo",
        "sock_connect",
    ],
)
def test_signatures_are_those_of_this_python(name):
    ours = inspect.signature(getattr(data_bridge.Loop, name))
    theirs = inspect.signature(getattr(asyncio.SelectorEventLoop, name))
    assert [(p.name, p.kind, p.default) for p in ours.parameters.values()] == [
        (p.name, p.kind, p.default) for p in theirs.parameters.values()
    ]
    assert inspect.iscoroutinefunction(getattr(data_bridge.Loop, name))


@pytest.mark.parametrize("name", [n for n in dir(asyncio.Transport) if not n.startswith("_")])
def test_transports_have_every_method(run, listener, name):
    async def main():
        transport, protocol = await asyncio.get_running_loop().create_connection(Recorder, *listener.getsockname())
        assert callable(getattr(transport, name))
        await finish(transport, protocol)

    run(main())


def test_host_and_port(run, listener):
    async def main():
        transport, protocol = await asyncio.get_running_loop().create_connection(Recorder, *listener.getsockname())
        assert isinstance(protocol, Recorder)
        assert protocol.names() == ["connection_made"]
        peer, address = listener.accept()
        assert transport.get_extra_info("sockname") == address
        transport.write(b"hello")
        await asyncio.sleep(0)
        assert receive_exactly(peer, 5) == b"hello"
        peer.close()
        await protocol.happened("connection_lost")

    run(main())


def test_a_waiter_that_is_done_already_is_reported(loop, run, listener):
    told = []
    loop.set_exception_handler(lambda _loop, context: told.append(context["exception"]))

    async def main():
        waiter = loop.create_future()
        waiter.set_result("too early")
        sock = socket.create_connection(listener.getsockname())
        sock.setblocking(False)
        protocol = Recorder()
        loop._make_socket_transport(sock, protocol, waiter)
        await protocol.happened("connection_made")
        await turns()
        await finish(protocol.transport, protocol)

    run(main())
    assert [type(error) for error in told] == [asyncio.InvalidStateError]


def test_a_host_name(run, listener):
    async def main():
        loop = asyncio.get_running_loop()
        port = listener.getsockname()[1]
        transport, protocol = await loop.create_connection(Recorder, "localhost", port, family=socket.AF_INET)
        assert transport.get_extra_info("peername") == ("127.0.0.1", port)
        await finish(transport, protocol)

    run(main())


def test_a_local_address(run, listener):
    async def main():
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.create_connection(
            Recorder, *listener.getsockname(), local_addr=("127.0.0.2", 0)
        )
        assert transport.get_extra_info("sockname")[0] == "127.0.0.2"
        await finish(transport, protocol)
        with pytest.raises(OSError, match="error while attempting to bind on address"):
            await loop.create_connection(Recorder, *listener.getsockname(), local_addr=("192.0.2.1", 0))

    run(main())


def test_refused(run, refused):
    async def main():
        with pytest.raises(ConnectionRefusedError, match="Connect call failed"):
            await asyncio.get_running_loop().create_connection(Recorder, "127.0.0.1", refused)

    run(main())


def resolving_to(monkeypatch, loop, *hosts):
    """Names resolve to these addresses."""

    async def getaddrinfo(_host, port, **_options):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in hosts]

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)


def test_the_next_address_is_tried(run, loop, listener, monkeypatch):
    resolving_to(monkeypatch, loop, "127.0.0.3", "127.0.0.1")

    async def main():
        transport, protocol = await loop.create_connection(Recorder, "somewhere", listener.getsockname()[1])
        assert transport.get_extra_info("peername")[0] == "127.0.0.1"
        await finish(transport, protocol)

    run(main())


def test_all_errors(run, loop, refused, monkeypatch):
    resolving_to(monkeypatch, loop, "127.0.0.3", "127.0.0.1")

    async def main():
        with pytest.raises(OSError, match="Multiple exceptions: .*127.0.0.3.*127.0.0.1"):
            await loop.create_connection(Recorder, "somewhere", refused)
        if "all_errors" in inspect.signature(loop.create_connection).parameters:
            with pytest.raises(ExceptionGroup) as caught:
                await loop.create_connection(Recorder, "somewhere", refused, all_errors=True)
            assert [type(error) for error in caught.value.exceptions] == [ConnectionRefusedError] * 2

    run(main())


def test_happy_eyeballs(run, loop, listener, monkeypatch):
    """An address that does not answer holds nobody up for longer than the delay."""
    resolving_to(monkeypatch, loop, "192.0.2.1", "127.0.0.1")
    never = loop.create_future()
    sock_connect = loop.sock_connect

    async def connect(sock, address):
        if address[0] == "192.0.2.1":
            await never
        await sock_connect(sock, address)

    monkeypatch.setattr(loop, "sock_connect", connect)

    async def main():
        transport, protocol = await loop.create_connection(
            Recorder, "somewhere", listener.getsockname()[1], happy_eyeballs_delay=0.01
        )
        assert transport.get_extra_info("peername")[0] == "127.0.0.1"
        await finish(transport, protocol)

    run(main())


@pytest.mark.parametrize(
    ("options", "expected"), [({}, "4466"), ({"interleave": 1}, "4646"), ({"interleave": 2}, "4466")]
)
def test_families_take_turns(run, loop, monkeypatch, options, expected):
    tried = []

    async def getaddrinfo(_host, port, **_options):
        families = (socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")
        return [(family, socket.SOCK_STREAM, 6, "", (host, port)) for family, host in families for _ in range(2)]

    async def connect(sock, _address):
        tried.append("4" if sock.family == socket.AF_INET else "6")
        raise ConnectionRefusedError

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(loop, "sock_connect", connect)
    with pytest.raises(ConnectionRefusedError):
        run(loop.create_connection(Recorder, "somewhere", 1, **options))
    assert "".join(tried) == expected


def test_cancelling_closes_the_socket(run, loop, monkeypatch):
    async def never(_sock, _address):
        await loop.create_future()

    monkeypatch.setattr(loop, "sock_connect", never)

    async def main():
        connecting = asyncio.ensure_future(loop.create_connection(Recorder, "127.0.0.1", 1))
        await asyncio.sleep(0)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting

    run(main())  # the fixture counts the descriptors


def test_cancelling_when_the_protocol_is_told_closes_the_transport(run, loop, listener):
    class Cancels(Recorder):
        def connection_made(self, transport):
            super().connection_made(transport)
            connecting.cancel()

    async def main():
        nonlocal connecting
        lost = protocol.happened("connection_lost")
        connecting = loop.create_task(loop.create_connection(lambda: protocol, *listener.getsockname()))
        with pytest.raises(asyncio.CancelledError):
            await connecting
        await lost

    protocol = Cancels()
    connecting: asyncio.Task[object] | None = None
    run(main())
    assert protocol.calls == [("connection_made",), ("connection_lost", None)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "host and port was not specified and no sock specified"),
        ({"host": "127.0.0.1", "port": 1, "server_hostname": "x"}, "server_hostname is only meaningful with ssl"),
        ({"host": "127.0.0.1", "port": 1, "ssl_shutdown_timeout": 1}, "is only meaningful with ssl"),
        ({"ssl": True}, "You must set server_hostname when using ssl without a host"),
    ],
)
def test_arguments_that_contradict(run, arguments, message):
    async def main():
        with pytest.raises(ValueError, match=message):
            await asyncio.get_running_loop().create_connection(Recorder, **arguments)

    run(main())


def test_a_factory_that_raises(run, listener):
    def broken():
        raise ZeroDivisionError

    async def main():
        sock = socket.create_connection(listener.getsockname())
        with pytest.raises(ZeroDivisionError):
            await asyncio.get_running_loop().create_connection(broken, sock=sock)
        sock.close()

    run(main())


def test_a_socket_that_a_transport_has_already(loop, run, listener):
    if sys.version_info < (3, 12) and not type(loop).__module__.startswith("data_bridge"):
        pytest.skip("checked by asyncio from 3.12 on")

    async def main():
        loop = asyncio.get_running_loop()
        sock = socket.create_connection(listener.getsockname())
        transport, protocol = await loop.create_connection(Recorder, sock=sock)
        with pytest.raises(RuntimeError, match="is used by transport"):
            await loop.create_connection(Recorder, sock=sock)
        await finish(transport, protocol)
        assert sock.fileno() == -1

    run(main())


@pytest.mark.parametrize("options", [{}, {"local_addr": None}, {"family": socket.AF_INET}])
def test_an_address_is_connected_to(run, loop, listener, options):
    async def main():
        address = listener.getsockname()
        transport, protocol = await loop.create_connection(Recorder, *address, **options)
        assert transport.get_extra_info("peername") == address
        sock = transport.get_extra_info("socket")
        assert (sock.type, sock.proto, sock.gettimeout()) == (socket.SOCK_STREAM, socket.IPPROTO_TCP, 0)
        await finish(transport, protocol)

    run(main())


def test_the_socket_of_a_connection_to_an_address(run, loop, listener):
    async def main():
        transport, protocol = await loop.create_connection(Recorder, *listener.getsockname())
        sock = transport.get_extra_info("socket")
        assert (type(sock), type(sock._sock)) == (asyncio.trsock.TransportSocket, socket.socket)
        assert sock is transport.get_extra_info("socket")
        assert sock.getsockname() == transport.get_extra_info("sockname")
        assert sock.fileno() >= 0
        await finish(transport, protocol)
        assert sock.fileno() == -1
        transport, protocol = await loop.create_connection(Recorder, *listener.getsockname())
        await finish(transport, protocol)
        assert transport.get_extra_info("socket").fileno() == -1

    run(main())


def test_a_socket_class_of_the_programs_own_is_used(run, loop, listener, monkeypatch):
    connected = []
    genuine = socket.socket

    class Guarded(socket.socket):
        def connect(self, address):
            connected.append(address)
            super().connect(address)

    def connect(sock, address):
        connected.append(address)
        return genuine.__base__.connect(sock, address)

    async def main():
        transport, protocol = await loop.create_connection(Recorder, *listener.getsockname())
        await finish(transport, protocol)

    monkeypatch.setattr(socket, "socket", Guarded)
    run(main())
    monkeypatch.setattr(socket, "socket", genuine)
    monkeypatch.setattr(genuine, "connect", connect, raising=False)
    run(main())
    assert connected == [listener.getsockname()] * 2


def test_an_address_of_ipv6(run, loop):
    async def main():
        try:
            listening = socket.create_server(("::1", 0), family=socket.AF_INET6)
        except OSError:
            pytest.skip("no IPv6 here")
        with listening:
            address = listening.getsockname()
            transport, protocol = await loop.create_connection(Recorder, *address[:2])
            assert transport.get_extra_info("peername") == address
            await finish(transport, protocol)

    run(main())


def test_an_address_where_nobody_listens(run, loop, refused):
    with pytest.raises(ConnectionRefusedError):
        run(loop.create_connection(Recorder, "127.0.0.1", refused))


@pytest.mark.parametrize(
    ("arguments", "options", "error"),
    [
        (("127.0.0.1", 99999), {}, OverflowError),
        (("127.0.0.1", 1), {"server_hostname": "a"}, ValueError),
        (("127.0.0.1", 1), {"nonsense": None}, TypeError),
        (("127.0.0.1", "no such service"), {}, OSError),
        ((), {}, ValueError),
    ],
)
def test_what_cannot_be_connected_to(run, loop, arguments, options, error):
    with pytest.raises(error):
        run(loop.create_connection(Recorder, *arguments, **options))
