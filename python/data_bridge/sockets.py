"""`loop.sock_*`: the coroutines around the native calls, which answer at once or with a future."""

from __future__ import annotations

import asyncio
import asyncio.base_events
import socket
from typing import TYPE_CHECKING, Any

from data_bridge import _native

if TYPE_CHECKING:
    from typing_extensions import Buffer

_base: Any = asyncio.base_events.BaseEventLoop
_Future = asyncio.Future

_INTERNET = (socket.AF_INET, socket.AF_INET6)


class Sockets(_native.EventLoop):
    """The part of the loop that works on sockets which stay the program's own."""

    __slots__ = ()

    if TYPE_CHECKING:

        async def _ensure_resolved(self, address: Any, **options: Any) -> list[tuple[Any, ...]]:
            """`Network` has it."""

    async def sock_recv(self, sock: socket.socket, n: int) -> bytes:
        """Receive up to `n` bytes; `b""` is the end of the stream."""
        received: Any = self._sock_recv(sock, n)
        if type(received) is not _Future:
            return received  # type: ignore[no-any-return]
        try:  # as in `_sock_wait()`, without its coroutine: this is where a program waits most
            return await received  # type: ignore[no-any-return]
        except BaseException:
            self._sock_forget(sock, received)
            raise

    async def sock_recv_into(self, sock: socket.socket, buf: Buffer) -> int:
        """Receive into a writable buffer; return the number of bytes."""
        received: Any = self._sock_recv_into(sock, buf)
        if type(received) is not _Future:
            return received  # type: ignore[no-any-return]
        try:
            return await received  # type: ignore[no-any-return]
        except BaseException:
            self._sock_forget(sock, received)
            raise

    async def sock_recvfrom(self, sock: socket.socket, bufsize: int) -> tuple[bytes, Any]:
        """Receive a datagram of up to `bufsize` bytes; return it and the sender's address."""
        received: tuple[bytes, Any]
        received = await self._sock_wait(sock, self._sock_call(sock, False, "recvfrom", bufsize))
        return received

    async def sock_recvfrom_into(self, sock: socket.socket, buf: Buffer, nbytes: int = 0) -> tuple[int, Any]:
        """Receive a datagram into a writable buffer; return the number of bytes and the sender's address."""
        if not nbytes:
            nbytes = len(buf)  # type: ignore[arg-type]
        received: tuple[int, Any]
        received = await self._sock_wait(sock, self._sock_call(sock, False, "recvfrom_into", buf, nbytes))
        return received

    async def sock_sendall(self, sock: socket.socket, data: Buffer) -> None:
        """Send all of `data`. After an error nobody knows how much the peer has got."""
        sent = self._sock_sendall(sock, data)
        if sent is not None:
            await self._sock_wait(sock, sent)

    async def sock_sendto(self, sock: socket.socket, data: Buffer, address: Any) -> int:
        """Send a datagram to `address`; return the number of bytes sent."""
        sent: int = await self._sock_wait(sock, self._sock_call(sock, True, "sendto", data, address))
        return sent

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Connect to `address`; a host name is resolved first."""
        self._sock_check(sock)
        family = sock.family
        if family in _INTERNET and not _is_resolved(family, address):
            found = await self._ensure_resolved(address, family=family, type=sock.type, proto=sock.proto, loop=self)
            address = found[0][4]
        connected = self._sock_connect(sock, address)
        if connected is not None:
            await self._sock_wait(sock, connected)

    async def sock_accept(self, sock: socket.socket) -> tuple[socket.socket, Any]:
        """Accept a connection; return its socket, which does not block, and the address of the peer."""
        connection, address = await self._sock_wait(sock, self._sock_call(sock, False, "accept"))
        connection.setblocking(False)
        return connection, address

    async def _sock_wait(self, sock: socket.socket, result: Any) -> Any:
        """Return the result of a native call, now or later. Whoever is cancelled leaves nothing behind."""
        if type(result) is not _Future:
            return result
        try:
            return await result
        except BaseException:
            self._sock_forget(sock, result)
            raise


def _is_resolved(family: int, address: Any) -> bool:
    """Whether `address` has an IP address of the family and a port, so that there is nothing to look up."""
    try:
        host, port = address[:2]
        socket.inet_pton(family, host)
    except (OSError, TypeError, ValueError):
        return False
    return isinstance(port, int)
