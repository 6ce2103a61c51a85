"""The sockets that a server listens on: opened here, once, by whoever outlives the processes that accept from them."""

from __future__ import annotations

import contextlib
import errno
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .settings import Settings


def listen(settings: Settings) -> list[socket.socket]:
    """Open the listening sockets that ``settings`` name: one for each address of ``host``, or the inherited ``fd``.

    Where ``port`` is 0, all get the port that the system chose for the first. Raises ``OSError`` where one cannot be
    had; its text says which and what to do.
    """
    if settings.fd is not None:
        return [_inherited(settings.fd)]
    where = f"{settings.host}:{settings.port}"
    opened: list[socket.socket] = []
    try:
        addresses = _addresses(settings.host, settings.port)
        both = len({family for family, _ in addresses}) > 1
        for family, address in addresses:
            port = opened[0].getsockname()[1] if opened else address[1]
            opened.append(_open(family, (address[0], port, *address[2:]), settings.backlog, only_v6=both))
    except OSError as error:
        for each in opened:
            each.close()
        raise OSError(error.errno, _unbound(where, error)) from None
    return opened


@contextlib.contextmanager
def closing(listeners: list[socket.socket]) -> Iterator[list[socket.socket]]:
    """Close ``listeners`` at the end."""
    try:
        yield listeners
    finally:
        for listener in listeners:
            listener.close()


def url(listener: socket.socket, settings: Settings) -> str:
    """Where clients find ``listener``."""
    scheme = "https" if settings.ssl_certfile else "http"
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _addresses(host: str, port: int) -> list[tuple[int, tuple[Any, ...]]]:
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def _open(family: int, address: tuple[Any, ...], backlog: int, *, only_v6: bool) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6 and only_v6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(address)
        opened.listen(backlog)
    except OSError:
        opened.close()
        raise
    return opened


def _inherited(number: int) -> socket.socket:
    try:
        found = socket.socket(fileno=number)
    except OSError as error:
        raise OSError(error.errno, f"fd {number} is no open socket: {error.strerror}") from None
    if not found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) or found.type != socket.SOCK_STREAM:
        found.detach()
        raise OSError(errno.EINVAL, f"fd {number} is a socket that does not listen; call listen() on it before")
    return found


def _unbound(where: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{where} is in use by another program; stop it or choose another --port"
    if error.errno == errno.EACCES:
        return f"cannot listen on {where}: ports below 1024 need privileges; choose a higher --port"
    return f"cannot listen on {where}: {error.strerror or error}"
