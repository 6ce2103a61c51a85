"""The figures of a service: where they are counted, who shows them, and `app.metrics`. Counts nothing itself."""

from __future__ import annotations

import contextlib
import logging
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import _native
from .binds import closing, listen_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .settings import Settings

logger = logging.getLogger("data_bridge")


@dataclass(frozen=True)
class Metrics:
    """The figures of all processes of a service since it began, as they were when they were asked for.

    Latencies are milliseconds from a request's complete head to the end of its response; the percentiles are estimates.
    A request whose client left before that end counts as answered with 499.
    """

    total_requests: int = 0
    #: On average since the service began.
    requests_per_second: float = 0.0
    #: Requests whose response is not complete.
    active_requests: int = 0
    mean_latency_ms: float = 0.0
    p50_latency_ms: float = 0.0
    p95_latency_ms: float = 0.0
    p99_latency_ms: float = 0.0
    #: Answers of 400 to 499.
    client_errors: int = 0
    #: Answers of 500 and more.
    server_errors: int = 0

    _board: _native.Board | None = field(default=None, repr=False, compare=False)

    def prometheus(self) -> str:
        """Give the figures of this moment as Prometheus reads them (text format 0.0.4); nothing where none counts."""
        return "" if self._board is None else self._board.prometheus()


class Figures:
    """``app.metrics``: a :class:`Metrics` of the server that serves the app; all zero where none counts."""

    def __init__(self) -> None:
        self._boards: weakref.WeakKeyDictionary[Any, _native.Board] = weakref.WeakKeyDictionary()

    def __get__(self, app: Any, owner: type | None = None) -> Any:
        """Read the figures."""
        if app is None:
            return self
        board = self._boards.get(app)
        return Metrics() if board is None else Metrics(**board.summary(), _board=board)

    @classmethod
    def of(cls, app: Any, board: _native.Board | None) -> None:
        """From now on ``app``, if it shows such figures, shows those on ``board``."""
        figures = getattr(type(app), "metrics", None)
        if isinstance(figures, cls) and board is not None:
            figures._boards[app] = board


@contextlib.contextmanager
def watched(settings: Settings) -> Iterator[_native.Board | None]:
    """Give what to count on, where somebody wants to know, and show it to them until the end.

    Raises ``OSError`` where the address for that cannot be had.
    """
    if not settings.counts:
        yield None
        return
    board = _native.Board()
    with contextlib.ExitStack() as stack:
        if settings.metrics_port is not None:
            where = f"{settings.metrics_host}:{settings.metrics_port}"
            listeners = stack.enter_context(closing(listen_at(where, settings)))
            numbers = [listener.fileno() for listener in listeners]
            monitor = _native.Monitor(board, numbers, settings.worker_timeout)
            stack.callback(monitor.close)
            host, port = listeners[0].getsockname()[:2]
            logger.info("Metrics on http://%s:%d/metrics", f"[{host}]" if ":" in host else host, port)
        yield board
