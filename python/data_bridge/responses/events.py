"""Server-sent events as a response: its type. The events themselves are in `data_bridge.sse`."""

from __future__ import annotations

from .streaming import StreamingResponse


class EventSourceResponse(StreamingResponse):
    """A stream of server-sent events, by any method.

    As ``response_class`` of an endpoint that yields, each thing that it yields becomes an event.
    """

    media_type = "text/event-stream"
