"""A million connections, opened and closed: by a program of raw sockets, and a tenth of them by our own client.

The raw client comes from many addresses of 127/8 and ends with a reset (SO_LINGER 0), so no port waits.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import subprocess
import sys

from flat import Watch

import data_bridge

CLIENTS = 2
RESET = struct.pack("ii", 1, 0)


class Echo(asyncio.Protocol):
    """Echoes, and counts the connections that ended."""

    ended = 0
    watch: Watch

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Send it back."""
        self.transport.write(data)  # type: ignore[attr-defined]

    def connection_lost(self, _error: Exception | None) -> None:
        """Count."""
        Echo.ended += 1
        Echo.watch.done(Echo.ended)


class Reset(asyncio.Protocol):
    """Sends a byte and gives the connection up when it comes back."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send."""
        self.lost, self.transport = asyncio.get_running_loop().create_future(), transport
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        transport.write(b"x")  # type: ignore[attr-defined]

    def data_received(self, _data: bytes) -> None:
        """Give up."""
        self.transport.abort()  # type: ignore[attr-defined]

    def connection_lost(self, _error: Exception | None) -> None:
        """Say so."""
        self.lost.set_result(None)


def knock(port: int, times: int, client: int) -> None:
    """The raw client, a process of its own."""
    for number in range(times):
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            sock.bind((f"127.{client + 1}.{number % 200}.{1 + number % 251}", 0))
            sock.connect(("127.0.0.1", port))
            sock.sendall(b"x")
            assert sock.recv(10) == b"x"


def start(port: int, times: int, client: int) -> subprocess.Popen[bytes]:
    """Start a raw client."""
    return subprocess.Popen([sys.executable, __file__, "knock", str(port), str(times), str(client)])


async def connect(port: int, times: int) -> None:
    """Our own client."""
    loop = asyncio.get_running_loop()
    for _ in range(times):
        _transport, protocol = await loop.create_connection(Reset, "127.0.0.1", port)
        await protocol.lost


async def soak(total: int) -> None:
    """Serves until all have come and gone."""
    Echo.watch = Watch("connections opened and closed", total)
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0, backlog=1000)
    port = server.sockets[0].getsockname()[1]
    raw = total * 9 // 10 // CLIENTS
    knocking = [start(port, raw, client) for client in range(CLIENTS)]
    await connect(port, total - raw * CLIENTS)
    while Echo.ended < total:
        assert not any(process.poll() for process in knocking), "a client has failed"
        await asyncio.sleep(0.05)
    assert [process.wait() for process in knocking] == [0] * CLIENTS
    server.close()
    await server.wait_closed()
    Echo.watch.close()


if __name__ == "__main__":
    if sys.argv[1] == "knock":
        knock(*map(int, sys.argv[2:]))
    else:
        data_bridge.run(soak(int(sys.argv[1])))
