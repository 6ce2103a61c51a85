"""Names, connections and servers: asyncio's own coroutines, run on native transports.

What opens or closes a connection is cold and full of rules that differ from one Python version to the next, so the
coroutines, their signatures and the `Server` class are those of the running interpreter. They reach the loop through a
few primitives, and these are ours: `_make_socket_transport` and `_listen` (native), and the ones below.
"""

from __future__ import annotations

import _socket
import asyncio.base_events
import asyncio.selector_events
import asyncio.sslproto
import asyncio.unix_events
import contextvars
import functools
import logging
import os
import socket
import sys
from typing import TYPE_CHECKING, Any

from data_bridge import _native
from data_bridge.sockets import Sockets

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

_base: Any = asyncio.base_events.BaseEventLoop
_selector: Any = asyncio.selector_events.BaseSelectorEventLoop
_unix: Any = asyncio.unix_events._UnixSelectorEventLoop

logger = logging.getLogger("asyncio")

_sock_connect = Sockets.sock_connect
# Python hides the second flag again; plain numbers, because an enumeration takes long to combine.
_STREAM = int(socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
_TCP = int(socket.IPPROTO_TCP)
# From Python 3.15 on all callbacks of a connection share one context.
_SHARES_CONTEXT = sys.version_info >= (3, 15)


class Network(_native.EventLoop):
    """The part of the loop that knows hosts, ports and certificates."""

    __slots__ = ("_unix_server_sockets",)

    def __init__(self) -> None:
        super().__init__()
        # Listening sockets and the inodes of their paths, which asyncio's `create_unix_server` notes from 3.13 on.
        self._unix_server_sockets: dict[socket.socket, int] = {}

    if TYPE_CHECKING:

        def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
            """`Loop` has it."""

        async def sock_connect(self, sock: socket.socket, address: Any) -> None:
            """`Sockets` has it."""

        async def _sock_wait(self, sock: socket.socket, result: Any) -> Any:
            """`Sockets` has it."""

    create_datagram_endpoint = _base.create_datagram_endpoint
    create_server = _base.create_server
    connect_accepted_socket = _base.connect_accepted_socket
    create_unix_connection = _unix.create_unix_connection
    create_unix_server = _unix.create_unix_server
    start_tls = _base.start_tls
    getnameinfo = _base.getnameinfo

    async def _open_connection(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | bytes | None = None,
        port: str | bytes | int | None = None,
        *,
        local_addr: tuple[str, int] | None = None,
        **options: Any,
    ) -> Any:
        """Connect as asyncio does; to an IP address in fewer steps, as there is nothing to look up and one to try."""
        # `local_addr` is named because AnyIO always gives it.
        target = None if options or local_addr is not None else self._sock_address(host, port)
        if target is None or getattr(self.sock_connect, "__func__", None) is not _sock_connect:
            return await _base.create_connection(self, protocol_factory, host, port, local_addr=local_addr, **options)
        family, address = target
        sock: Any = _socket.socket(family, _STREAM, _TCP)  # a `socket.socket` is made of it when somebody asks for one
        try:
            connected = self._sock_connect(sock, address)
            if connected is not None:
                await self._sock_wait(sock, connected)
            # asyncio's `_create_connection_transport()` without its coroutine; the socket does not block already.
            context = contextvars.copy_context() if _SHARES_CONTEXT else None
            protocol = protocol_factory()
            waiter = self.create_future()
            transport = self._make_socket_transport(sock, protocol, waiter, context=context)
        except BaseException:
            sock.close()
            raise
        try:
            await waiter
        except BaseException:
            transport.close()
            del waiter  # it holds the exception, whose traceback holds this frame
            raise
        return transport, protocol

    create_connection: Any = functools.wraps(_base.create_connection)(_open_connection)

    _connect_sock = _base._connect_sock
    _create_connection_transport = _base._create_connection_transport
    _create_server_getaddrinfo = _base._create_server_getaddrinfo
    _ensure_resolved = _base._ensure_resolved
    _getaddrinfo_debug = _base._getaddrinfo_debug
    _accept_connection = _selector._accept_connection
    _accept_connection2 = _selector._accept_connection2

    @property
    def _debug(self) -> bool:
        return self.get_debug()

    async def getaddrinfo(
        self,
        host: str | bytes | None,
        port: str | bytes | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - asyncio's name
        proto: int = 0,
        flags: int = 0,
    ) -> list[tuple[Any, ...]]:
        """Resolve a name by `socket.getaddrinfo()` in the default executor; an IP address is answered at once."""
        resolve: Callable[..., list[tuple[Any, ...]]]
        resolve = self._getaddrinfo_debug if self.get_debug() else socket.getaddrinfo
        if _is_address(host) and (port is None or isinstance(port, int)):
            return resolve(host, port, family, type, proto, flags)
        found: list[tuple[Any, ...]]
        found = await self.run_in_executor(None, resolve, host, port, family, type, proto, flags)
        return found

    def _ensure_fd_no_transport(self, fd: Any) -> None:
        """Raise `RuntimeError` if the descriptor belongs to a transport."""
        self._check_free(fd)

    def _remove_reader(self, fd: Any) -> bool:
        return self.remove_reader(fd)

    def _start_serving(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        sock: socket.socket,
        sslcontext: ssl.SSLContext | None = None,
        server: asyncio.base_events.Server | None = None,
        backlog: int = 100,
        *tls_timeouts: float | None,
        context: contextvars.Context | None = None,
    ) -> None:
        """Accept connections for `server`. The TLS handshake of each has a task, and a plain one needs none."""
        if sock.fileno() < 0:
            return  # the server was closed while it had no descriptors left for new connections
        if sslcontext is None:
            self._listen(protocol_factory, sock, server, backlog, context)
            return
        arguments: tuple[Any, ...] = (protocol_factory, sock, sslcontext, server, backlog, *tls_timeouts)
        if context is not None:  # from Python 3.15 on
            arguments = (*arguments, context)
        self.add_reader(sock, self._accept_connection, *arguments)

    def _stop_serving(self, sock: socket.socket) -> None:
        """Close the listening socket, and remove its path if it is the one that the server has made."""
        inode = self._unix_server_sockets.pop(sock, None)
        path = sock.getsockname() if inode is not None else None
        super()._stop_serving(sock)
        if path is None:
            return
        try:
            if os.stat(path).st_ino == inode:  # noqa: PTH116 - the path may be bytes
                os.unlink(path)  # noqa: PTH108 - as above
        except FileNotFoundError:
            pass
        except OSError as error:
            logger.error("Unable to clean up listening UNIX socket %r: %r", path, error)  # noqa: TRY400 - asyncio's line

    def _make_ssl_transport(
        self,
        rawsock: socket.socket,
        protocol: asyncio.BaseProtocol,
        sslcontext: ssl.SSLContext | None,
        waiter: asyncio.Future[None] | None = None,
        *,
        extra: dict[str, Any] | None = None,
        server: asyncio.base_events.Server | None = None,
        context: contextvars.Context | None = None,
        **options: Any,
    ) -> asyncio.Transport:
        """Make a TLS transport: asyncio's state machine, over a native transport."""
        over_tls: Any = asyncio.sslproto.SSLProtocol(self, protocol, sslcontext, waiter, **options)  # type: ignore[arg-type]
        self._make_socket_transport(rawsock, over_tls, extra=extra, server=server, context=context)
        transport: asyncio.Transport = over_tls._app_transport
        return transport


def _is_address(host: str | bytes | None) -> bool:
    """Whether `host` is an IP address, maybe with an IPv6 zone."""
    if not isinstance(host, str):
        return False
    for family, text in ((socket.AF_INET, host), (socket.AF_INET6, host.partition("%")[0])):
        try:
            socket.inet_pton(family, text)
        except (OSError, ValueError):
            continue
        return True
    return False
