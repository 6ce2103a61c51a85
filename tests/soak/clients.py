"""Clients in threads, each on a connection of its own, which ask until the end of the block that enters them."""

from __future__ import annotations

import http.client
import threading
from abc import ABC, abstractmethod
from contextlib import closing
from typing import Self

from tests.support import servers


class Clients(ABC):
    """What they have in common; a subclass says how they ask."""

    def __init__(self, server: servers.Server, count: int) -> None:
        self.answered = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._server = server
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        with closing(self._connection()) as connection:
            self._ask(connection, number)

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._server.host, self._server.port, timeout=servers.PATIENCE)

    @abstractmethod
    def _ask(self, connection: http.client.HTTPConnection, number: int) -> None:
        """Ask until `_stop` is set."""
