"""Sockets over the loopback, both ends in one loop: what is sent, and who reads it. Knows no TLS."""

import asyncio
import socket
from typing import Any

from benchmarks.loop.registry import async_case

SMALL = b"x" * 64


class Echo(asyncio.Protocol):
    """Sends back what comes."""

    def connection_made(self, transport: Any) -> None:
        self._write = transport.write

    def data_received(self, data: bytes) -> None:
        self._write(data)


class PingPong(asyncio.Protocol):
    """Sends a message n times, each time when the last one is back."""

    def __init__(self, message: bytes, n: int) -> None:
        self._message = message
        self._left = n
        self._missing = 0
        self.done = asyncio.get_running_loop().create_future()
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._missing -= len(data)
        if self._missing:
            return
        self._left -= 1
        if self._left:
            self._send()
        else:
            self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set_result(exc)

    def _send(self) -> None:
        self._missing = len(self._message)
        self._transport.write(self._message)


async def ping_pong(n: int, message: bytes, *, server_tls: Any = None, client_tls: Any = None) -> None:
    """`Echo` on one end, `PingPong` on the other."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", 0, ssl=server_tls)
    host, port = server.sockets[0].getsockname()
    name = "localhost" if client_tls else None
    transport, client = await loop.create_connection(
        lambda: PingPong(message, n), host, port, ssl=client_tls, server_hostname=name
    )
    await client.done
    transport.close()
    await client.closed
    server.close()
    await server.wait_closed()


@async_case("protocol ping-pong 64 B", 20_000)
async def protocols(n: int) -> None:
    """Two protocols."""
    await ping_pong(n, SMALL)


@async_case("streams ping-pong 64 B", 10_000)
async def streams(n: int) -> None:
    """StreamReader and StreamWriter at both ends."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(await reader.readexactly(64))
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for _ in range(n):
        writer.write(SMALL)
        await reader.readexactly(64)
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()


@async_case("sock_recv/sendall ping-pong 64 B", 10_000)
async def socks(n: int) -> None:
    """Plain sockets, awaited by a task at each end."""
    loop = asyncio.get_running_loop()
    here, there = socket.socketpair()
    with here, there:
        here.setblocking(False)
        there.setblocking(False)

        async def echo() -> None:
            while data := await loop.sock_recv(there, 64):
                await loop.sock_sendall(there, data)

        echoing = loop.create_task(echo())
        for _ in range(n):
            await loop.sock_sendall(here, SMALL)
            await loop.sock_recv(here, 64)
        here.shutdown(socket.SHUT_WR)
        await echoing


class DatagramEcho(asyncio.DatagramProtocol):
    """Sends each datagram back."""

    def connection_made(self, transport: Any) -> None:
        self._sendto = transport.sendto

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._sendto(data, addr)


class DatagramPingPong(asyncio.DatagramProtocol):
    """Sends a datagram n times, each time when the last one is back."""

    def __init__(self, n: int) -> None:
        self._left = n
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._sendto = transport.sendto
        self._sendto(SMALL)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._left -= 1
        if self._left:
            self._sendto(SMALL)
        else:
            self.done.set_result(None)


@async_case("UDP ping-pong 64 B", 20_000)
async def udp(n: int) -> None:
    """A connected endpoint and one that answers whoever asks."""
    loop = asyncio.get_running_loop()
    server, _ = await loop.create_datagram_endpoint(DatagramEcho, local_addr=("127.0.0.1", 0))
    address = server.get_extra_info("sockname")
    transport, client = await loop.create_datagram_endpoint(lambda: DatagramPingPong(n), remote_addr=address)
    await client.done
    transport.close()
    server.close()
    await asyncio.sleep(0)


class Closing(asyncio.Protocol):
    """Says when the connection is gone."""

    def __init__(self) -> None:
        self.closed = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set_result(exc)


@async_case("connect + close", 2_000)
async def connect_close(n: int) -> None:
    """One connection after the other; the client closes, then the server."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    for _ in range(n):
        transport, client = await loop.create_connection(Closing, host, port)
        transport.close()
        await client.closed
    server.close()
    await server.wait_closed()
