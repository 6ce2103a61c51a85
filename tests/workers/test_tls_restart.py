"""Clients of TLS through rolling restarts and stops: who has begun to shake hands is served."""

from __future__ import annotations

import signal
import socket
import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.http.test_tls import trusting
from tests.support import servers
from tests.support.http2 import Client

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.certificates import Authority, Certificate

APPS = Path(__file__).parent / "apps"
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Handshake:
    """A client that shakes hands step by step."""

    def __init__(self, server: servers.Server, context: ssl.SSLContext) -> None:
        self.socket = socket.create_connection((server.host, server.port), servers.PATIENCE)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            self.tls.do_handshake()
        self.hello = self.outgoing.read()

    def finish(self) -> bytes:
        """Do what is left of it, and a request; gives all that came."""
        self._until_done(self.tls.do_handshake)
        self._until_done(lambda: self.tls.write(REQUEST))
        parts: list[bytes] = []
        while not parts or parts[-1]:  # an empty one at the end that TLS has
            self._until_done(lambda: parts.append(self.tls.read(65536)))
        return b"".join(parts)

    def _until_done(self, step: Callable[[], object]) -> None:
        waits = True
        while waits:
            try:
                step()
                waits = False
            except ssl.SSLWantReadError:
                pass
            self.socket.sendall(self.outgoing.read())
            if waits:
                received = self.socket.recv(65536)
                assert received, "closed"
                self.incoming.write(received)


def test_a_handshake_under_way_is_finished_by_a_server_that_stops(
    authority: Authority, certificate: Certificate
) -> None:
    with servers.data_bridge("app:app", *certificate.flags, app_dir=APPS) as server:
        clients = [Handshake(server, trusting(authority)) for _ in range(3)]
        halves = [len(clients[0].hello) // 2, len(clients[1].hello), 20]
        for client, half in zip(clients, halves, strict=True):
            client.socket.sendall(client.hello[:half])
        with socket.create_connection((server.host, server.port), servers.PATIENCE) as silent:
            server.process.send_signal(signal.SIGTERM)
            assert silent.recv(1) == b"", "who says nothing is not waited for"
        for client, half in zip(clients, halves, strict=True):
            client.socket.sendall(client.hello[half:])
            assert client.finish().startswith(b"HTTP/1.1 200 OK")
            client.socket.close()
        assert server.process.wait(servers.PATIENCE) == 0


@pytest.mark.parametrize("restarts", [3])
def test_no_new_connection_is_lost_in_rolling_restarts(
    authority: Authority, certificate: Certificate, restarts: int
) -> None:
    flags = ("--workers", "2", "--no-access-log", *certificate.flags)
    over, lost, served = threading.Event(), [], []
    with servers.data_bridge("app:app", *flags, app_dir=APPS) as server:

        def ask_http1() -> bytes:
            connection = socket.create_connection((server.host, server.port), servers.PATIENCE)
            with trusting(authority).wrap_socket(connection, server_hostname="localhost") as secured:
                secured.sendall(REQUEST)
                return b"".join(iter(lambda: secured.recv(65536), b""))[:15]

        def ask_http2() -> bytes:
            with Client(server, trusting(authority)) as client:
                assert client.answer(client.ask("/"))[0] == 200
            return b"HTTP/1.1 200 OK"

        def go_on(ask: Callable[[], bytes]) -> None:
            while not over.is_set():
                try:
                    assert ask() == b"HTTP/1.1 200 OK"
                    served.append(1)
                except Exception as error:  # noqa: BLE001
                    lost.append(repr(error))

        threads = [threading.Thread(target=go_on, args=[ask]) for ask in (ask_http1, ask_http1, ask_http2)]
        for thread in threads:
            thread.start()
        try:
            for restart in range(restarts):
                server.process.send_signal(signal.SIGHUP)
                server.wait_until(lambda done=restart: server.output.count("is ready") >= 2 * (done + 2))
        finally:
            over.set()
            for thread in threads:
                thread.join()
        assert not lost, (len(lost), len(served), lost[:3])
