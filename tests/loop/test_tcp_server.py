"""`create_server` and its `Server`."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import errno
import gc
import os
import resource
import socket
import subprocess
import sys
import textwrap
import warnings
import weakref

import pytest
from tests.loop.wire import Recorder, collected_with_a_warning, in_thread, receive_all, receive_exactly, turns


class Echo(Recorder):
    def data_received(self, data):
        super().data_received(data)
        self.transport.write(data)


def ask(address, question=b"hello"):
    with socket.create_connection(address, timeout=10) as sock:
        sock.sendall(question)
        return receive_exactly(sock, len(question))


def test_a_server_answers(run):
    async def main():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Echo, "127.0.0.1", 0)
        (sock,) = server.sockets
        assert type(server.sockets) is tuple
        assert server.is_serving()
        assert server.get_loop() is loop
        assert await in_thread(ask, sock.getsockname()) == b"hello"
        server.close()
        assert server.sockets == ()
        assert not server.is_serving()
        await server.wait_closed()
        with pytest.raises(ConnectionRefusedError):
            ask(sock.getsockname() if sock.fileno() >= 0 else ("127.0.0.1", 1))

    run(main())


def test_what_a_server_side_transport_knows(run):
    async def main():
        made = asyncio.get_running_loop().create_future()

        class Told(Echo):
            def connection_made(self, transport):
                super().connection_made(transport)
                made.set_result(self)

        server = await asyncio.get_running_loop().create_server(Told, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        with socket.create_connection(address) as client:
            protocol = await made
            transport = protocol.transport
            assert transport.get_extra_info("peername") == client.getsockname()
            assert transport.get_extra_info("sockname") == address
            sock = transport.get_extra_info("socket")
            assert isinstance(sock, asyncio.trsock.TransportSocket)
            assert sock.getpeername() == client.getsockname()
            assert (sock.family, sock.type) == (socket.AF_INET, socket.SOCK_STREAM)
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
            assert not os.get_inheritable(sock.fileno())
            assert not os.get_blocking(sock.fileno())
        await protocol.happened("connection_lost")
        assert sock.fileno() == -1
        server.close()
        await server.wait_closed()

    run(main())


def test_the_socket_of_a_closed_connection(run):
    """Asked for late, it is there and closed."""

    async def main():
        protocol = Echo()
        server = await asyncio.get_running_loop().create_server(lambda: protocol, "127.0.0.1", 0)
        lost = protocol.happened("connection_lost")
        await in_thread(ask, server.sockets[0].getsockname())
        await lost
        assert protocol.transport.get_extra_info("socket").fileno() == -1
        assert protocol.transport.get_extra_info("peername")[0] == "127.0.0.1"
        server.close()
        await server.wait_closed()

    run(main())


def test_many_clients_at_once(run):
    async def main():
        server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0, backlog=512)
        address = server.sockets[0].getsockname()

        def crowd():
            clients = [socket.create_connection(address, timeout=10) for _ in range(300)]
            for number, client in enumerate(clients):
                client.sendall(b"%04d" % number)
            answers = [receive_exactly(client, 4) for client in clients]
            for client in clients:
                client.close()
            return answers

        assert await in_thread(crowd) == [b"%04d" % number for number in range(300)]
        server.close()
        await server.wait_closed()

    run(main())


def test_a_burst_of_connections_is_accepted_in_order(run):
    async def main():
        loop, made, count = asyncio.get_running_loop(), [], 60
        everybody = loop.create_future()

        class Greeter(asyncio.Protocol):
            def connection_made(self, transport):
                made.append(transport.get_extra_info("peername"))
                if len(made) == count:
                    everybody.set_result(None)

        server = await loop.create_server(Greeter, "127.0.0.1", 0, backlog=100)
        clients = [socket.create_connection(server.sockets[0].getsockname(), timeout=10) for _ in range(count)]
        await everybody
        assert made == [client.getsockname() for client in clients]
        for client in clients:
            client.close()
        server.close()
        await server.wait_closed()

    run(main())


def test_several_hosts_on_one_port(run):
    async def main():
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = await loop.create_server(Echo, ["127.0.0.1", "127.0.0.2", "127.0.0.1"], port)
        assert sorted(sock.getsockname() for sock in server.sockets) == [("127.0.0.1", port), ("127.0.0.2", port)]
        assert await in_thread(ask, ("127.0.0.2", port)) == b"hello"
        server.close()
        await server.wait_closed()

    run(main())


def test_a_name_that_means_both_families(run):
    async def main():
        server = await asyncio.get_running_loop().create_server(Echo, None, 0, family=socket.AF_INET)
        (sock,) = server.sockets
        assert sock.getsockname()[0] == "0.0.0.0"
        server.close()
        await server.wait_closed()

    run(main())


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6")
def test_ipv6(run):
    async def main():
        protocol = Echo()
        server = await asyncio.get_running_loop().create_server(lambda: protocol, "::1", 0)
        address = server.sockets[0].getsockname()
        made = protocol.happened("connection_made")
        answer = asyncio.ensure_future(in_thread(ask, address[:2]))
        await made
        assert protocol.transport.get_extra_info("sockname") == address
        peer = protocol.transport.get_extra_info("peername")
        assert peer[0] == "::1"
        assert len(peer) == 4
        assert await answer == b"hello"
        if "connection_lost" not in protocol.names():
            await protocol.happened("connection_lost")
        server.close()
        await server.wait_closed()

    run(main())


def test_a_socket_of_the_users(run):
    async def main():
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        server = await asyncio.get_running_loop().create_server(Echo, sock=listener)
        assert not listener.getblocking()
        assert await in_thread(ask, listener.getsockname()) == b"hello"
        server.close()
        await server.wait_closed()
        assert listener.fileno() == -1

    run(main())


def test_options_of_the_listening_socket(run):
    async def main():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Echo, "127.0.0.1", 0, reuse_port=True)
        (sock,) = server.sockets
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)
        assert not sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        second = await loop.create_server(Echo, *sock.getsockname(), reuse_port=True, reuse_address=False)
        assert not second.sockets[0].getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
        if sys.version_info >= (3, 13):
            third = await loop.create_server(Echo, "127.0.0.1", 0, keep_alive=True)
            assert third.sockets[0].getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            third.close()
        for started in (server, second):
            started.close()
            await started.wait_closed()

    run(main())


def test_serving_starts_when_it_is_told(run):
    async def main():
        server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0, start_serving=False)
        address = server.sockets[0].getsockname()
        assert not server.is_serving()
        with pytest.raises(ConnectionRefusedError):
            ask(address)
        await server.start_serving()
        await server.start_serving()
        assert server.is_serving()
        assert await in_thread(ask, address) == b"hello"
        server.close()
        await server.wait_closed()

    run(main())


def test_serve_forever_ends_with_its_task(run):
    async def main():
        server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0, start_serving=False)
        serving = asyncio.ensure_future(server.serve_forever())
        await turns()
        with pytest.raises(RuntimeError, match="is already being awaited on serve_forever"):
            await server.serve_forever()
        assert await in_thread(ask, server.sockets[0].getsockname()) == b"hello"
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        assert server.sockets == ()
        with pytest.raises(RuntimeError, match="is closed"):
            await server.serve_forever()

    run(main())


def test_async_with(run):
    async def main():
        async with await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0) as server:
            assert await in_thread(ask, server.sockets[0].getsockname()) == b"hello"
        assert not server.is_serving()

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="before 3.12 it returned at once")
def test_wait_closed_waits_for_the_last_client(run):
    async def main():
        protocol = Echo()
        server = await asyncio.get_running_loop().create_server(lambda: protocol, "127.0.0.1", 0)
        made = protocol.happened("connection_made")
        client = socket.create_connection(server.sockets[0].getsockname())
        await made
        server.close()
        waiting = asyncio.ensure_future(server.wait_closed())
        await turns()
        assert not waiting.done()
        protocol.transport.close()
        await waiting
        assert client.recv(1) == b""
        client.close()

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 13), reason="new in 3.13")
@pytest.mark.parametrize("method", ["close_clients", "abort_clients"])
def test_the_server_closes_its_clients(run, method):
    async def main():
        protocol = Echo()
        server = await asyncio.get_running_loop().create_server(lambda: protocol, "127.0.0.1", 0)
        made = protocol.happened("connection_made")
        client = socket.create_connection(server.sockets[0].getsockname())
        await made
        server.close()
        getattr(server, method)()
        await server.wait_closed()
        assert protocol.names()[-1] == "connection_lost"
        assert receive_all(client) == b""
        client.close()

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 13), reason="new in 3.13")
def test_a_server_counts_its_clients_until_they_are_gone(run):
    async def main():
        protocol = Echo()
        server = await asyncio.get_running_loop().create_server(lambda: protocol, "127.0.0.1", 0)
        for abandoned in (False, True):
            made, lost = protocol.happened("connection_made"), protocol.happened("connection_lost")
            client = socket.create_connection(server.sockets[0].getsockname())
            await made
            assert set(server._clients) == {protocol.transport}
            if abandoned:
                protocol.transport.pause_reading()
                with collected_with_a_warning("unclosed transport <"):
                    del protocol.transport
                    await turns()
            client.close()
            if not abandoned:
                await lost
            assert len(server._clients) == 0
        server.close()
        await asyncio.wait_for(server.wait_closed(), 10)

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 13), reason="new in 3.13")
def test_a_server_with_a_set_of_the_programs_own(run):
    told = []

    class Clients(weakref.WeakSet):
        def add(self, item):
            told.append("add")
            super().add(item)

        def discard(self, item):
            told.append("discard")
            super().discard(item)

    async def main():
        protocol = Echo()
        server = await asyncio.get_running_loop().create_server(lambda: protocol, "127.0.0.1", 0)
        server._clients = Clients()
        lost = protocol.happened("connection_lost")
        assert await in_thread(ask, server.sockets[0].getsockname()) == b"hello"
        await lost
        server.close()
        await server.wait_closed()

    run(main())
    assert told == ["add", "discard"]


@pytest.mark.parametrize("where", ["class", "object"])
def test_a_server_that_is_told_of_its_clients_in_a_way_of_the_programs_own(run, monkeypatch, where):
    told = []

    def telling(target, name):
        genuine = getattr(target, name)

        def method(*arguments):
            told.append(name)
            return genuine(*arguments)

        monkeypatch.setattr(target, name, method)

    async def main():
        protocol = Echo()
        server = await asyncio.get_running_loop().create_server(lambda: protocol, "127.0.0.1", 0)
        for name in ("_attach", "_detach"):
            telling(asyncio.base_events.Server if where == "class" else server, name)
        address = server.sockets[0].getsockname()
        for _ in range(2):
            lost = protocol.happened("connection_lost")
            assert await in_thread(ask, address) == b"hello"
            await lost
        server.close()
        await server.wait_closed()

    run(main())
    assert told == ["_attach", "_detach"] * 2


def test_the_factory_and_the_callbacks_run_in_the_server_s_context(run):
    variable = contextvars.ContextVar("variable", default="outside")
    seen = []

    class Noting(Echo):
        def note(self, name, *arguments):
            seen.append((name, variable.get()))
            super().note(name, *arguments)

    async def main():
        protocol = Noting()

        def factory():
            seen.append(("factory", variable.get()))
            variable.set("changed for this connection")
            return protocol

        async def start():
            variable.set("server")
            return await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)

        server = await asyncio.create_task(start())
        lost = protocol.happened("connection_lost")
        await in_thread(ask, server.sockets[0].getsockname())
        await lost
        assert dict(seen) == {
            "factory": "server",
            "connection_made": "changed for this connection",
            "data_received": "changed for this connection",
            "eof_received": "changed for this connection",
            "connection_lost": "changed for this connection",
        }
        server.close()
        await server.wait_closed()
        assert variable.get() == "outside"

    run(main())


@pytest.mark.parametrize("debug", [False, True])
def test_a_factory_that_raises_costs_one_connection(loop, run, debug):
    loop.set_debug(debug)
    told = []

    def note(_loop, context):
        told.append(context["message"])
        loop.call_later(0.01, gc.collect)  # asyncio leaves the connection to the garbage collector

    loop.set_exception_handler(note)

    def broken():
        raise ZeroDivisionError

    async def main():
        loop = asyncio.get_running_loop()
        factories = [broken, Echo]

        def factory():
            return factories.pop(0)()

        server = await loop.create_server(factory, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()

        def try_twice():
            with socket.create_connection(address, timeout=10) as sock:
                lost = receive_all(sock)
            return lost, ask(address)

        assert await in_thread(try_twice) == (b"", b"hello")
        server.close()
        await server.wait_closed()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        run(main())
        gc.collect()
    assert told == (["Error on transport creation for incoming connection"] if debug else [])


@contextlib.contextmanager
def no_new_descriptors():
    """The kernel refuses every new descriptor of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    next_free = os.dup(0)
    os.close(next_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_without_descriptors_accepting_pauses_and_goes_on(loop, run, monkeypatch):
    monkeypatch.setattr("asyncio.constants.ACCEPT_RETRY_DELAY", 0.05)
    told = loop.create_future()
    loop.set_exception_handler(lambda _loop, context: told.done() or told.set_result(context))

    async def main():
        server = await loop.create_server(Echo, "127.0.0.1", 0, backlog=1)
        client = socket.socket()
        client.settimeout(10)
        with no_new_descriptors():
            client.connect(server.sockets[0].getsockname())
            context = await told
        client.sendall(b"patience")
        assert await in_thread(receive_exactly, client, 8) == b"patience"
        client.close()
        assert context["message"] == "socket.accept() out of system resource"
        assert context["exception"].errno == errno.EMFILE
        assert isinstance(context["socket"], asyncio.trsock.TransportSocket)
        server.close()
        await server.wait_closed()

    run(main())


def test_a_server_closed_while_it_paused_stays_closed(loop, run, monkeypatch):
    if not type(loop).__module__.startswith("data_bridge"):
        pytest.skip("asyncio listens on the closed socket and logs the error")
    monkeypatch.setattr("asyncio.constants.ACCEPT_RETRY_DELAY", 0)
    told = asyncio.Queue()
    loop.set_exception_handler(lambda _loop, context: told.put_nowait(context))

    async def main():
        server = await loop.create_server(Echo, "127.0.0.1", 0, backlog=1)
        client = socket.socket()
        client.settimeout(10)
        with no_new_descriptors():
            client.connect(server.sockets[0].getsockname())
            await told.get()
            server.close()
        await asyncio.sleep(0.01)
        client.close()

    run(main())
    assert told.empty()


def test_a_port_in_use(run):
    async def main():
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = taken.getsockname()
            with pytest.raises(OSError, match=r"error while attempting to bind on address") as caught:
                await asyncio.get_running_loop().create_server(Echo, *address)
            assert caught.value.errno == errno.EADDRINUSE

    run(main())


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, ValueError, "Neither host/port nor sock were specified"),
        ({"host": "127.0.0.1", "port": 0, "ssl_handshake_timeout": 1}, ValueError, "only meaningful with ssl"),
        ({"host": "127.0.0.1", "port": 0, "ssl": True}, TypeError, "ssl argument must be an SSLContext or None"),
    ],
)
def test_arguments_that_contradict(run, arguments, error, message):
    async def main():
        with pytest.raises(error, match=message):
            await asyncio.get_running_loop().create_server(Echo, **arguments)

    run(main())


def test_a_datagram_socket_is_refused(run):
    async def main():
        loop = asyncio.get_running_loop()
        with (
            socket.socket(type=socket.SOCK_DGRAM) as sock,
            pytest.raises(ValueError, match="A Stream Socket was expected"),
        ):
            await loop.create_server(Echo, sock=sock)
        with (
            socket.socket() as sock,
            pytest.raises(ValueError, match="host/port and sock can not be specified at the same time"),
        ):
            await loop.create_server(Echo, "127.0.0.1", 0, sock=sock)

    run(main())


def test_connect_accepted_socket(run):
    async def main():
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = socket.create_connection(listener.getsockname(), timeout=10)
            accepted, _address = listener.accept()
        transport, protocol = await loop.connect_accepted_socket(Echo, accepted)
        client.sendall(b"hello")
        assert await in_thread(receive_exactly, client, 5) == b"hello"
        client.close()
        await protocol.happened("connection_lost")
        assert transport.is_closing()

    run(main())


@pytest.mark.parametrize("loop_class", ["data_bridge.Loop", "asyncio.SelectorEventLoop"])
def test_a_connection_left_at_the_end_of_the_program_says_nothing(loop_class):
    code = f"""
        import asyncio, data_bridge

        async def main():
            served = asyncio.Event()

            async def serve(reader, writer):
                await reader.read()
                served.set()

            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.close()
            await served.wait()
            server.close()

        loop = {loop_class}()
        loop.run_until_complete(main())
        loop.close()
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
