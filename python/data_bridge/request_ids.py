"""The id of the request that the current context runs for, and its place in log records. Ids are made in Rust."""

from __future__ import annotations

import contextvars
import logging

#: The id of the current request; ``None`` outside of requests, and where the server gives none (``request_id``).
current: contextvars.ContextVar[str | None] = contextvars.ContextVar("data_bridge.request_id", default=None)


class Filter(logging.Filter):
    """Gives each record a ``request_id`` for formats to name, ``-`` outside of requests. All records pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Name the request."""
        record.request_id = current.get() or "-"
        return True
