"""A client that sends exactly the bytes it is given, over one connection for as long as the server keeps it."""

from __future__ import annotations

import http.client
import socket
from typing import TYPE_CHECKING, NamedTuple

from tests.support.servers import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Written by each server in its own way.
OWN = {"date", "server", "connection", "keep-alive"}


class Answer(NamedTuple):
    """A response without what each server says of itself."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Client:
    """Talks to one server. The requests name one host, whatever the address."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def ask(
        self, method: str, target: bytes, headers: Iterable[tuple[bytes, bytes]] = (), body: bytes | None = None
    ) -> Answer:
        """Send a request and give its answer; ``target`` is sent as it is."""
        fields = [(b"host", b"server"), *headers]
        if body is not None:
            fields.append((b"content-length", b"%d" % len(body)))
        lines = [b"%s %s HTTP/1.1" % (method.encode(), target), *(b"%s: %s" % field for field in fields)]
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), PATIENCE)
        self._socket.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + (body or b""))
        answer = http.client.HTTPResponse(self._socket, method=method)
        answer.begin()
        content = answer.read()
        if answer.will_close:
            self.close()
        kept = sorted((name.lower(), value) for name, value in answer.getheaders() if name.lower() not in OWN)
        return Answer(answer.status, kept, content)
