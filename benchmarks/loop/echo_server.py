"""A TCP echo server: `python -m benchmarks.loop.echo_server LOOP STYLE [burn]`. Prints its port; ends with stdin."""

import asyncio
import socket
import sys
import threading
from collections.abc import Awaitable, Callable

from benchmarks.loop.factories import new_loop


class Echo(asyncio.Protocol):
    """Sends back what comes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport's write."""
        self._write = transport.write  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """The whole work."""
        self._write(data)


async def protocols() -> int:
    """Accepts for `Echo`; the port."""
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0, backlog=128)
    return int(server.sockets[0].getsockname()[1])


async def streams() -> int:
    """Accepts for a coroutine that reads what is there; the port."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 18):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0, backlog=128, limit=1 << 18)
    return int(server.sockets[0].getsockname()[1])


async def socks() -> int:
    """Accepts plain sockets, each of which has a task; the port."""
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    listener.setblocking(False)
    tasks = set()

    async def echo(client: socket.socket) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client:
            while data := await loop.sock_recv(client, 1 << 18):
                await loop.sock_sendall(client, data)

    async def accept() -> None:
        while True:
            client, _ = await loop.sock_accept(listener)
            task = loop.create_task(echo(client))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    tasks.add(loop.create_task(accept()))
    return int(listener.getsockname()[1])


STYLES: dict[str, Callable[[], Awaitable[int]]] = {"protocols": protocols, "streams": streams, "socks": socks}


def burn() -> None:
    """A thread that always wants the interpreter."""
    number = 0
    while True:
        number = (number * 31 + 7) % 1_000_003


async def serve(style: str) -> None:
    """Until stdin is closed, which a thread waits for."""
    loop = asyncio.get_running_loop()
    print(await STYLES[style](), flush=True)
    ended = asyncio.Event()

    def wait_for_stdin() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait_for_stdin, daemon=True).start()
    await ended.wait()


def main() -> None:
    """One loop, one server."""
    if "burn" in sys.argv[3:]:
        threading.Thread(target=burn, daemon=True).start()
    loop = new_loop(sys.argv[1])
    asyncio.set_event_loop(loop)
    loop.run_until_complete(serve(sys.argv[2]))


if __name__ == "__main__":
    main()
