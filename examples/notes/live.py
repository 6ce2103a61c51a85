"""Who listens to new notes: one queue a listener. Knows no note and no WebSocket."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Announcements:
    """Texts for all who listen. To be used on the event loop."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[str]] = set()

    @contextmanager
    def listening(self) -> Iterator[asyncio.Queue[str]]:
        """Give a queue that gets everything from now on."""
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)

    def say(self, text: str) -> None:
        """Tell all who listen."""
        for queue in self._queues:
            queue.put_nowait(text)
