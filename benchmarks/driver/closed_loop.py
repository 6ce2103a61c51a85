"""A small generator that counts exactly: connections open before the count begins, no request is under way after it.

wrk opens its connections within the measured time, which is nothing among 100,000 requests and much among the few
thousand that a traced server answers.
"""

import select
import socket
import time
from types import TracebackType
from typing import Self

from benchmarks.driver.latency import read_answer
from benchmarks.scenarios import Scenario


class ClosedLoop:
    """A scenario's connections, each of which sends its next request when the last one was answered."""

    def __init__(self, scenario: Scenario, port: int) -> None:
        self._request = _bytes_of(scenario)
        self._clients = {client.fileno(): client for client in (_connect(port) for _ in range(scenario.connections))}
        self._poll = select.epoll()
        for descriptor in self._clients:
            self._poll.register(descriptor, select.EPOLLIN)
        self.run(0.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._poll.close()
        for client in self._clients.values():
            client.close()

    def run(self, seconds: float) -> int:
        """Asks for that long, at least once on each connection; returns how many answers came."""
        end = time.monotonic() + seconds
        answers, waiting = 0, len(self._clients)
        for client in self._clients.values():
            client.sendall(self._request)
        while waiting:
            ready = self._poll.poll(10)
            if not ready:
                raise ConnectionError("no answer within 10 s")
            for descriptor, _ in ready:
                client = self._clients[descriptor]
                read_answer(client)
                answers += 1
                if time.monotonic() < end:
                    client.sendall(self._request)
                else:
                    waiting -= 1
        return answers


def _bytes_of(scenario: Scenario) -> bytes:
    head = f"{scenario.method} {scenario.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in scenario.headers.items())
    if scenario.body:
        head += f"Content-Type: {scenario.sends}\r\nContent-Length: {len(scenario.body)}\r\n"
    return f"{head}\r\n".encode() + scenario.body


def _connect(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client
