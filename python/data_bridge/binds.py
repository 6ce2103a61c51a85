"""The sockets that a server listens on: opened here, once, by whoever outlives the processes that accept from them."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from typing import TYPE_CHECKING, Any

from .unix_sockets import UnixListener

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .settings import Settings

#: The first descriptor that systemd passes.
_FIRST_PASSED = 3

_LAST_PORT = 65535


def listen(settings: Settings) -> list[socket.socket]:
    """Open the listening sockets that ``settings`` name.

    These are the addresses of ``bind`` and the path ``uds``, else the inherited ``fd``, else what systemd has passed,
    else one for each address of ``host``; where a port is 0, all addresses of a host get the one that the system chose
    for the first. Raises ``OSError`` where one cannot be had; its text says which and what to do.
    """
    told = (*settings.bind, *((f"unix:{settings.uds}",) if settings.uds else ()))
    if not told and settings.fd is not None:
        return [_inherited(settings.fd)]
    if not told and (passed := _passed()):
        return [_inherited(number) for number in passed]
    opened: list[socket.socket] = []
    try:
        for where in told or (f"{settings.host}:{settings.port}",):
            opened += listen_at(where, settings)
    except OSError:
        for each in opened:
            each.close()
        raise
    return opened


def place(where: str) -> tuple[str, int] | int | str:
    """Read ``host:port``, ``[address]:port``, ``fd://number`` or ``unix:path``, else raise ``ValueError``."""
    if where.startswith("unix:") and where != "unix:":
        return where.removeprefix("unix:")
    host, colon, port = where.rpartition("//" if where.startswith("fd://") else ":")
    if not colon or not port.isascii() or not port.isdigit() or int(port) > _LAST_PORT:
        raise ValueError(f"an address to bind is host:port, [address]:port, unix:/path or fd://number, not {where!r}")
    if colon == "//":
        return int(port)
    return host.removeprefix("[").removesuffix("]"), int(port)


def _passed() -> list[int]:
    """Give what systemd has opened for this process (sd_listen_fds(3)), once: no child is to take it for its own."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = int(os.environ.pop("LISTEN_FDS", "0"))
    del os.environ["LISTEN_PID"]
    return list(range(_FIRST_PASSED, _FIRST_PASSED + count))


def listen_at(where: str, settings: Settings) -> list[socket.socket]:
    """Open the listening sockets of one address to bind. Raises ``OSError``; its text says what to do."""
    found = place(where)
    if isinstance(found, int):
        return [_inherited(found)]
    if isinstance(found, str):
        return [UnixListener.at(found, settings.backlog, mode=int(settings.uds_permissions, 8))]
    opened: list[socket.socket] = []
    try:
        addresses = _addresses(*found)
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
    if listener.family == socket.AF_UNIX:
        return f"unix:{os.fsdecode(listener.getsockname())}"
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
    if found.family not in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
        found.detach()
        raise OSError(errno.EAFNOSUPPORT, f"fd {number} is neither a TCP nor a Unix socket; only those are served")
    if not found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) or found.type != socket.SOCK_STREAM:
        found.detach()
        raise OSError(errno.EINVAL, f"fd {number} is a socket that does not listen; call listen() on it before")
    return found


def _unbound(where: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{where} is in use by another program; stop it or choose another --port"
    if error.errno == errno.EACCES:
        return f"cannot listen on {where}: ports below 1024 need privileges; choose a higher --port"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"cannot listen on {where}: this machine has no such address; --host 0.0.0.0 means all that it has"
    if isinstance(error, socket.gaierror):
        return (
            f"cannot listen on {where}: the host's name is not known ({error.strerror}); --host takes an address, too"
        )
    return f"cannot listen on {where}: {error.strerror or error}"
