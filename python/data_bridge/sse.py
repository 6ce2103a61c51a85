"""Server-sent events (WHATWG HTML, 9.2.6): one event, and its bytes. Knows no endpoint."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from .responses.events import EventSourceResponse

__all__ = ["KEEPALIVE_COMMENT", "EventSourceResponse", "ServerSentEvent", "format_sse_event"]

#: What is sent while there is nothing to say, so that nobody between takes the connection for dead.
KEEPALIVE_COMMENT = b": ping\n\n"

#: Seconds of silence before it is sent.
_PING_INTERVAL: float = 15.0

#: An event as OpenAPI 3.2 (4.14.4) describes it.
_SSE_EVENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "data": {"type": "string"},
        "event": {"type": "string"},
        "id": {"type": "string"},
        "retry": {"type": "integer", "minimum": 0},
    },
}


def _one_line(value: str | None, field: str) -> str | None:
    if value is not None and ("\r" in value or "\n" in value):
        raise ValueError(f"SSE '{field}' must be a single line")
    return value


def _check_event(value: str | None) -> str | None:
    return _one_line(value, "event")


def _check_id(value: str | None) -> str | None:
    if value is not None and "\0" in value:
        raise ValueError("SSE 'id' must not contain null characters")
    return _one_line(value, "id")


class ServerSentEvent(BaseModel):
    """One event, yielded by an endpoint whose response class is :class:`EventSourceResponse`.

    ``data`` is sent as JSON, texts too; ``raw_data`` as it is. ``retry`` is in milliseconds.
    """

    data: Any = None
    raw_data: str | None = None
    event: Annotated[str | None, AfterValidator(_check_event)] = None
    id: Annotated[str | None, AfterValidator(_check_id)] = None
    retry: Annotated[int | None, Field(ge=0)] = None
    comment: str | None = None

    @model_validator(mode="after")
    def _check_data_exclusive(self) -> Self:
        if self.data is not None and self.raw_data is not None:
            raise ValueError(
                "Cannot set both 'data' and 'raw_data' on the same ServerSentEvent. Use 'data' for JSON-serialized "
                "payloads or 'raw_data' for pre-formatted strings."
            )
        return self


def format_sse_event(
    *,
    data_str: str | None = None,
    event: str | None = None,
    id: str | None = None,  # noqa: A002 - the field's name
    retry: int | None = None,
    comment: str | None = None,
) -> bytes:
    """Write an event; ``data_str`` is its data as text."""
    fields = [(b": ", text) for text in _lines(comment)]
    fields += [(b"event: ", event)] if event is not None else []
    fields += [(b"data: ", text) for text in _lines(data_str)]
    fields += [(b"id: ", id)] if id is not None else []
    fields += [(b"retry: ", str(retry))] if retry is not None else []
    return b"".join(name + text.encode("utf-8") + b"\n" for name, text in fields) + b"\n"


def _lines(text: str | None) -> list[str]:
    """Take a text apart at the ends of lines that the format knows, which are fewer than Python's."""
    return [] if text is None else text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
