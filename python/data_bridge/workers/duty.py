"""What a worker owes its master: word that it is ready, signs of life, and an end when it is spent or left alone."""

from __future__ import annotations

import asyncio
import contextlib
import random
import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from .. import _native
    from ..server import Stop
    from ..settings import Settings

#: Seconds between signs of life. They are sent by the event loop: a loop that is stuck sends none.
PERIOD = 0.5


class Duty:
    """One worker's end of the control socket."""

    def __init__(self, control: socket.socket, settings: Settings) -> None:
        control.setblocking(False)
        self._control = control
        self._limits = Limits(settings)
        self._retiring = False

    def begin(self, server: _native.Server, stop: Stop) -> None:
        """Report that ``server`` accepts, and keep in touch until the loop ends; ask ``stop`` when the master goes."""
        self._loop = asyncio.get_running_loop()
        self._server, self._stop = server, stop
        self._loop.add_reader(self._control, self._hear)
        self._say(b"ready\n")
        self._live()

    def _live(self) -> None:
        self._say(b"alive\n")
        reason = None if self._retiring else self._limits.reached(self._server.stats()["requests_total"])
        if reason:
            self._retiring = True
            self._say(b"spent " + reason.encode() + b"\n")
        self._loop.call_later(PERIOD, self._live)

    def _hear(self) -> None:
        """End: the master says that others have taken over, or is gone."""
        try:
            heard = self._control.recv(64)
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        self._loop.remove_reader(self._control)
        self._retiring = True
        self._stop.ask(gently=bool(heard))

    def _say(self, line: bytes) -> None:
        # A master that is busy or stopped will hear the next one; that it is gone the reader sees as well.
        with contextlib.suppress(OSError):
            self._control.send(line)


class Limits:
    """How much a worker may do before another takes its place. Jitter keeps workers of one age from ending together."""

    def __init__(self, settings: Settings) -> None:
        self._requests = _spread(settings.max_requests, settings.max_requests_jitter)
        self._end = time.monotonic() + _spread(settings.worker_lifetime, settings.worker_lifetime / 10)
        self._lives_on = not settings.worker_lifetime
        self._rss = settings.max_rss

    def reached(self, requests: int) -> str | None:
        """Say which limit is reached, if one is."""
        return next(self._reached(requests), None)

    def _reached(self, requests: int) -> Iterator[str]:
        if self._requests and requests >= self._requests:
            yield f"it has answered {requests} requests"
        if not self._lives_on and time.monotonic() >= self._end:
            yield "its lifetime is over"
        if self._rss and (rss := resident()) > self._rss:
            yield f"it uses {rss} bytes of memory"


def resident() -> int:
    """Give the bytes of memory that this process has in use."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def _spread(value: float, jitter: float) -> float:
    return value + random.uniform(0, jitter) if value else 0  # noqa: S311 - no secret
