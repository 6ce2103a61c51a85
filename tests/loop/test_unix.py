"""Unix stream sockets: servers, connections, paths."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import ssl
import sys
from pathlib import Path

import pytest
from tests.loop.wire import Recorder, in_thread, receive_exactly

CERTIFICATE = Path(__file__).parents[1] / "support" / "localhost.pem"


class Echo(Recorder):
    def data_received(self, data):
        super().data_received(data)
        self.transport.write(data)


def ask(path, question=b"hello"):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(path)
        sock.sendall(question)
        return receive_exactly(sock, len(question))


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "sock")


@pytest.mark.parametrize("kind", [str, os.fsencode, Path], ids=["str", "bytes", "Path"])
def test_a_server_and_a_connection(run, path, kind):
    async def main():
        loop = asyncio.get_running_loop()
        served = Echo()
        server = await loop.create_unix_server(lambda: served, kind(path))
        (sock,) = server.sockets
        assert isinstance(sock, asyncio.trsock.TransportSocket)
        assert sock.getsockname() == path
        transport, protocol = await loop.create_unix_connection(Recorder, kind(path))
        assert isinstance(transport, asyncio.Transport)
        assert transport.get_extra_info("peername") == path
        assert transport.get_extra_info("sockname") == ""
        assert transport.get_extra_info("socket").family == socket.AF_UNIX
        answered = protocol.happened("data_received")
        transport.write(b"hello")
        assert await answered == (b"hello",)
        assert served.transport.get_extra_info("sockname") == path
        assert served.transport.get_extra_info("peername") == ""
        assert served.transport.get_extra_info("socket").family == socket.AF_UNIX
        lost = served.happened("connection_lost")
        transport.close()
        assert await lost == (None,)
        server.close()
        await server.wait_closed()

    run(main())


def test_an_abstract_name(run):
    async def main():
        loop = asyncio.get_running_loop()
        name = f"\0data_bridge-{os.getpid()}-{id(loop)}"
        server = await loop.create_unix_server(Echo, name)
        assert server.sockets[0].getsockname() == name.encode()
        assert await in_thread(ask, name) == b"hello"
        transport, protocol = await loop.create_unix_connection(Recorder, name.encode())
        assert transport.get_extra_info("peername") == name.encode()
        lost = protocol.happened("connection_lost")
        transport.close()
        await lost
        server.close()
        await server.wait_closed()

    run(main())


def test_sockets_of_the_users(run, path):
    async def main():
        loop = asyncio.get_running_loop()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        server = await loop.create_unix_server(Echo, sock=listener)
        client = socket.socket(socket.AF_UNIX)
        client.connect(path)
        transport, protocol = await loop.create_unix_connection(Recorder, sock=client)
        answered = protocol.happened("data_received")
        transport.write(b"hello")
        assert await answered == (b"hello",)
        lost = protocol.happened("connection_lost")
        transport.close()
        await lost
        server.close()
        await server.wait_closed()

    run(main())


def test_a_pair(run):
    async def main():
        loop = asyncio.get_running_loop()
        here, there = socket.socketpair()
        there.settimeout(10)
        transport, protocol = await loop.create_unix_connection(Recorder, sock=here)
        transport.write(b"x" * 300_000)
        assert await in_thread(receive_exactly, there, 300_000) == b"x" * 300_000
        transport.write_eof()
        assert await in_thread(there.recv, 1) == b""
        lost = protocol.happened("connection_lost")
        there.close()
        assert await lost == (None,)

    run(main())


def test_the_streams_of_asyncio(run, path):
    async def main():
        async def answer(reader, writer):
            writer.write(await reader.readline())
            writer.close()

        server = await asyncio.start_unix_server(answer, path)
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"hello\n")
        assert await reader.read() == b"hello\n"
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()

    run(main())


def test_a_stale_path_is_replaced(run, path):
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)

    async def main():
        server = await asyncio.get_running_loop().create_unix_server(Echo, path)
        assert await in_thread(ask, path) == b"hello"
        server.close()
        await server.wait_closed()

    run(main())


def test_what_is_no_socket_stays(run, tmp_path):
    taken = tmp_path / "file"
    taken.write_text("precious")

    async def main():
        with pytest.raises(OSError, match="is already in use") as caught:
            await asyncio.get_running_loop().create_unix_server(Echo, taken)
        assert caught.value.errno == errno.EADDRINUSE

    run(main())
    assert taken.read_text() == "precious"


def test_cleanup(run, path):
    """The path goes with the server from Python 3.13 on, unless it was asked to stay."""

    async def main():
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(Echo, path)
        server.close()
        await server.wait_closed()
        assert (await in_thread(Path(path).exists)) == (sys.version_info < (3, 13))
        if sys.version_info >= (3, 13):
            server = await loop.create_unix_server(Echo, path, cleanup_socket=False)
            server.close()
            await server.wait_closed()
            assert await in_thread(Path(path).exists)

    run(main())


@pytest.mark.skipif(sys.version_info < (3, 13), reason="cleanup_socket is younger")
def test_cleanup_leaves_a_successor_alone(run, path, caplog):
    async def main():
        loop = asyncio.get_running_loop()
        first = await loop.create_unix_server(Echo, path)
        second = await loop.create_unix_server(Echo, path)
        first.close()
        assert await in_thread(ask, path) == b"hello"
        await in_thread(Path(path).unlink)
        with caplog.at_level(logging.ERROR, "asyncio"):
            second.close()
        assert not caplog.records
        await first.wait_closed()
        await second.wait_closed()

    run(main())


def test_nobody_listens(run, path):
    async def main():
        loop = asyncio.get_running_loop()
        with pytest.raises(FileNotFoundError):
            await loop.create_unix_connection(Recorder, path)
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path)
            with pytest.raises(ConnectionRefusedError):
                await loop.create_unix_connection(Recorder, path)

    run(main())


def test_a_full_queue_of_connections(run, path):
    """`connect()` says EAGAIN, which asyncio waits out on a writable socket."""

    async def main():
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(Echo, path, backlog=1)
        made = await asyncio.gather(*[loop.create_unix_connection(Recorder, path) for _ in range(2)])
        lost = [protocol.happened("connection_lost") for _transport, protocol in made]
        for transport, _protocol in made:
            transport.close()
        await asyncio.gather(*lost)
        server.close()
        await server.wait_closed()

    run(main())


@pytest.mark.parametrize(
    ("method", "arguments", "error", "message"),
    [
        ("create_unix_server", {}, ValueError, "path was not specified, and no sock specified"),
        ("create_unix_server", {"path": "x", "ssl": True}, TypeError, "ssl argument must be an SSLContext or None"),
        (
            "create_unix_server",
            {"path": "x", "ssl_handshake_timeout": 1},
            ValueError,
            "ssl_handshake_timeout is only meaningful with ssl",
        ),
        ("create_unix_connection", {}, ValueError, "no path and sock were specified"),
        (
            "create_unix_connection",
            {"path": "x", "server_hostname": "x"},
            ValueError,
            "server_hostname is only meaningful with ssl",
        ),
        (
            "create_unix_connection",
            {"path": "x", "ssl": True},
            ValueError,
            "you have to pass server_hostname when using ssl",
        ),
    ],
)
def test_arguments_that_contradict(run, method, arguments, error, message):
    async def main():
        with pytest.raises(error, match=message):
            await getattr(asyncio.get_running_loop(), method)(Recorder, **arguments)

    run(main())


@pytest.mark.parametrize("method", ["create_unix_server", "create_unix_connection"])
def test_sockets_of_another_kind(run, method):
    async def main():
        create = getattr(asyncio.get_running_loop(), method)
        for sock in (socket.socket(), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)):
            with sock, pytest.raises(ValueError, match="A UNIX Domain Stream Socket was expected"):
                await create(Recorder, sock=sock)
        with (
            socket.socket(socket.AF_UNIX) as sock,
            pytest.raises(ValueError, match="path and sock can not be specified at the same time"),
        ):
            await create(Recorder, "x", sock=sock)

    run(main())


def test_tls(run, path):
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(CERTIFICATE)
    client_context = ssl.create_default_context(cafile=CERTIFICATE)

    async def main():
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(Echo, path, ssl=server_context)
        assert server._ssl_context is server_context
        transport, protocol = await loop.create_unix_connection(
            Recorder, path, ssl=client_context, server_hostname="localhost"
        )
        assert isinstance(transport.get_extra_info("ssl_object"), ssl.SSLObject)
        answered = protocol.happened("data_received")
        transport.write(b"hello")
        assert await answered == (b"hello",)
        lost = protocol.happened("connection_lost")
        transport.close()
        await lost
        server.close()
        await server.wait_closed()

    run(main())
