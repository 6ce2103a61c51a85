"""What a master tells a new worker: which app, with which settings, on which sockets. One line of JSON."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from ..loading import Target
from ..settings import Settings

if TYPE_CHECKING:
    import socket

#: Longest orders, in bytes.
LIMIT = 1 << 20


@dataclasses.dataclass(frozen=True)
class Orders:
    """An app to serve. ``listeners`` and ``board`` are descriptors that the worker inherits under the same numbers."""

    target: Target
    settings: Settings
    listeners: tuple[int, ...]
    #: The memory that the worker counts in, and its slot there.
    board: int | None = None
    slot: int = 0

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What the worker inherits."""
        return self.listeners if self.board is None else (*self.listeners, self.board)

    def line(self) -> bytes:
        """Give the line that :meth:`receive` reads."""
        return json.dumps(dataclasses.asdict(self)).encode() + b"\n"

    @classmethod
    def receive(cls, control: socket.socket) -> Orders:
        """Read the orders that come first on ``control``. Raises ``EOFError`` where the master has gone before."""
        received = b""
        while not received.endswith(b"\n"):
            part = control.recv(65536)
            if not part or len(received) > LIMIT:
                raise EOFError("the master ended before it gave its orders")
            received += part
        given: dict[str, Any] = json.loads(received)
        given["target"], given["settings"] = Target(**given["target"]), Settings(**given["settings"])
        given["listeners"] = tuple(given["listeners"])
        return cls(**given)
