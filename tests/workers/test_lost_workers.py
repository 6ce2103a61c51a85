"""What clients lose with a worker that is killed, and while one is stopped: the requests that it had, and no others."""

from __future__ import annotations

import os
import signal
import socket

import httpx
from tests.support import servers
from tests.workers.test_workers import APPS, MANY, ask, await_end, ready


class Held:
    """A request that a worker is at until it is released."""

    def __init__(self, server: servers.Server) -> None:
        self._socket = socket.create_connection((server.host, server.port), servers.PATIENCE)
        self._socket.sendall(
            b"POST /held HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        )
        received = b""
        while received.partition(b"\r\n\r\n")[2].count(b"\r\n") < 2:
            received += self._socket.recv(65536)
        self.worker = int(received.partition(b"\r\n\r\n")[2].split(b"\r\n")[1])

    def release(self) -> bytes:
        """Let it end; gives what comes then."""
        received = b""
        try:
            self._socket.sendall(b"0\r\n\r\n")
            while part := self._socket.recv(65536):
                received += part
        except ConnectionError:
            pass
        finally:
            self._socket.close()
        return received


def held_by_both(server: servers.Server) -> list[Held]:
    held: list[Held] = []
    while len({each.worker for each in held}) < 2 or len(held) < 10:
        held.append(Held(server))
        assert len(held) < MANY
    return held


def test_only_the_requests_of_a_killed_worker_are_lost() -> None:
    with servers.data_bridge("app:app", "--workers", "2", app_dir=APPS) as server:
        held = held_by_both(server)
        victim = held[0].worker
        os.kill(victim, signal.SIGKILL)
        await_end(victim)
        for _ in range(20):  # there may be one worker alone yet
            assert ask(server) != victim
        for each in held:
            assert (b" to its end" in each.release()) is (each.worker != victim)


def test_a_stopped_worker_leaves_new_connections_to_others_and_may_go_on() -> None:
    with servers.data_bridge("app:app", "--workers", "2", app_dir=APPS) as server:
        held = held_by_both(server)
        victim = held[0].worker
        with server.standing_still(victim), httpx.Client(timeout=servers.PATIENCE) as client:
            answers = {client.get(server.url, headers={"connection": "close"}).text for _ in range(20)}
        assert answers <= {str(pid) for pid in ready(server) if pid != victim}
        assert all(b" to its end" in each.release() for each in held)
        assert len(ready(server)) == 2
