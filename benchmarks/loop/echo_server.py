"""A TCP echo server: `python -m benchmarks.loop.echo_server LOOP [burn]`. Prints its port, ends with its stdin."""

import asyncio
import sys
import threading

from benchmarks.loop.factories import new_loop


class Echo(asyncio.Protocol):
    """Sends back what comes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport's write."""
        self._write = transport.write  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """The whole work."""
        self._write(data)


def burn() -> None:
    """A thread that always wants the interpreter."""
    number = 0
    while True:
        number = (number * 31 + 7) % 1_000_003


async def serve() -> None:
    """Until stdin is closed, which a thread waits for."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", 0, backlog=128)
    print(server.sockets[0].getsockname()[1], flush=True)
    ended = asyncio.Event()

    def wait_for_stdin() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait_for_stdin, daemon=True).start()
    await ended.wait()
    server.close()


def main() -> None:
    """One loop, one server."""
    if "burn" in sys.argv[2:]:
        threading.Thread(target=burn, daemon=True).start()
    loop = new_loop(sys.argv[1])
    asyncio.set_event_loop(loop)
    loop.run_until_complete(serve())
    loop.close()


if __name__ == "__main__":
    main()
