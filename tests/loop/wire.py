"""A transport of the loop under test on one end of a TCP connection, and a plain socket of the test on the other."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Recorder(asyncio.Protocol):
    """Notes every call; `happened(name)` is a future of the next call of that name."""

    keep_open = False

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.transport: Any = None
        self._waiting: dict[str, asyncio.Future[Any]] = {}

    def happened(self, name: str) -> asyncio.Future[Any]:
        return self._waiting.setdefault(name, asyncio.get_running_loop().create_future())

    def note(self, name: str, *arguments: Any) -> None:
        self.calls.append((name, *arguments))
        waiting = self._waiting.pop(name, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(arguments)

    def names(self) -> list[str]:
        return [call[0] for call in self.calls]

    def data(self) -> bytes:
        return b"".join(call[1] for call in self.calls if call[0] == "data_received")

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.note("connection_made")

    def data_received(self, data: bytes) -> None:
        self.note("data_received", data)

    def eof_received(self) -> bool:
        self.note("eof_received")
        return self.keep_open

    def pause_writing(self) -> None:
        self.note("pause_writing")

    def resume_writing(self) -> None:
        self.note("resume_writing")

    def connection_lost(self, exc: Exception | None) -> None:
        self.note("connection_lost", exc)


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    """Two connected TCP sockets, blocking, with a time-out so that a test cannot hang."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        first = socket.create_connection(listener.getsockname())
        second, _address = listener.accept()
    first.settimeout(10)
    second.settimeout(10)
    return first, second


async def connect(protocol: Any) -> tuple[Any, socket.socket]:
    """A transport for `protocol` and the socket at the other end."""
    here, there = tcp_pair()
    transport, _protocol = await asyncio.get_running_loop().create_connection(lambda: protocol, sock=here)
    return transport, there


def reset(sock: socket.socket) -> None:
    """Closes with RST instead of FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    sock.close()


def receive_exactly(sock: socket.socket, count: int) -> bytes:
    """That many bytes from a blocking socket."""
    parts = []
    while count:
        part = sock.recv(count)
        assert part, "the stream ended early"
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def receive_all(sock: socket.socket) -> bytes:
    """Everything until the end of the stream."""
    return b"".join(iter(lambda: sock.recv(1 << 16), b""))


async def in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    """Something that blocks, beside the loop."""
    return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)


async def turns(count: int = 3) -> None:
    """Lets the loop go round a few times, for what must not happen."""
    for _ in range(count):
        await asyncio.sleep(0)


async def fed_by(reader_type=asyncio.StreamReader, protocol_type=asyncio.StreamReaderProtocol, **options):
    """A reader on a transport of the loop, and the socket that feeds it."""
    loop = asyncio.get_running_loop()
    reader = reader_type(loop=loop, **options)
    protocol = protocol_type(reader, loop=loop)
    transport, there = await connect(protocol)
    return reader, protocol, transport, there


async def end_feeding(transport, protocol, there):
    """The end of what `fed_by` has made."""
    there.close()
    transport.abort()
    await protocol._get_close_waiter(None)


@contextlib.contextmanager
def collected_with_a_warning(text: str) -> Iterator[None]:
    """What is dropped inside is an unclosed transport; asyncio's socket complains too."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
        gc.collect()
    messages = [str(warning.message) for warning in caught if warning.category is ResourceWarning]
    assert len([message for message in messages if message.startswith(text)]) == 1, messages
