"""Clients of HTTP/2 through rolling restarts: what was begun is finished, what comes too late may be asked again."""

from __future__ import annotations

import signal
from pathlib import Path

from h2.events import ConnectionTerminated, StreamEnded
from tests.support import servers
from tests.support.http2 import Client

APPS = Path(__file__).parent / "apps"


class Patient:
    """A client as RFC 9113, 6.8 wants them: after GOAWAY it goes elsewhere, and asks again for what was not begun."""

    def __init__(self, server: servers.Server) -> None:
        self.server = server
        self.client = Client(server)
        self.moved = 0

    def get(self, path: str) -> bytes:
        while True:
            self.client.look()
            if self.client.has(ConnectionTerminated):
                self.move()
            stream = self.client.ask(path)
            while not self.client.has(StreamEnded, stream):
                last = self.client.last_stream()
                if last is not None and stream > last:
                    break
                assert not self.client.ended, "closed under a request that was begun"
                self.client.wait()
            else:
                status, body = self.client.answer(stream)
                assert status == 200
                return body
            self.move()

    def move(self) -> None:
        self.client.socket.close()
        self.client = Client(self.server)
        self.moved += 1


def test_no_request_is_lost_in_a_rolling_restart() -> None:
    with servers.data_bridge("app:app", "--workers", "2", "--no-access-log", app_dir=APPS) as server:
        clients = [Patient(server) for _ in range(4)]
        seen = set()
        for restart in range(2):
            server.process.send_signal(signal.SIGHUP)
            while server.output.count("is ready") < 2 * (restart + 2) or any(each.moved <= restart for each in clients):
                seen |= {client.get("/") for client in clients}
        assert len(seen) > 2
        for client in clients:
            client.client.socket.close()
