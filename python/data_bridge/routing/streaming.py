"""Endpoints that yield: their items as JSON lines, as server-sent events, or as they are."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ..concurrency import checkpoint, iterate_in_threadpool
from ..dependencies.models import _is_async_gen_callable
from ..exceptions import ResponseValidationError
from .results import finite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AsyncExitStack

    from ..exceptions import EndpointContext
    from ..fields import ModelField

    Serializer = Callable[[Any], bytes]

#: The end of a stream, and what ended it if it was an exception.
_END = object()


def item_serializer(
    field: ModelField | None, options: dict[str, Any], context: Callable[[], EndpointContext]
) -> Serializer:
    """Give the function that makes JSON of an item."""

    def serialize(item: Any) -> bytes:
        if field is None:
            from ..encoders import jsonable_encoder  # noqa: PLC0415 - typed streams need none

            return json.dumps(finite(jsonable_encoder(item))).encode()
        value, errors = field.validate(item, loc=("response",))
        if errors:
            raise ResponseValidationError(errors=errors, body=item, endpoint_ctx=context())
        return field.serialize_json(value, **options)

    return serialize


def event_serializer(serialize: Serializer) -> Serializer:
    """Give the function that makes an event of an item."""
    from ..encoders import jsonable_encoder  # noqa: PLC0415 - imported by the first such stream
    from ..sse import ServerSentEvent, format_sse_event  # noqa: PLC0415

    def event(item: Any) -> bytes:
        if not isinstance(item, ServerSentEvent):
            return format_sse_event(data_str=serialize(item).decode())
        data = item.raw_data
        if data is None and item.data is not None:
            is_model = hasattr(item.data, "model_dump_json")
            data = item.data.model_dump_json() if is_model else json.dumps(finite(jsonable_encoder(item.data)))
        return format_sse_event(data_str=data, event=item.event, id=item.id, retry=item.retry, comment=item.comment)

    return event


def json_lines(call: Any, items: Any, serialize: Serializer) -> AsyncIterator[bytes] | Iterator[bytes]:
    """Give a line of JSON for each item."""
    if _is_async_gen_callable(call):
        return _async_lines(items, serialize)
    return (serialize(item) + b"\n" for item in items)


async def _async_lines(items: AsyncIterator[Any], serialize: Serializer) -> AsyncIterator[bytes]:
    async for item in items:
        yield serialize(item) + b"\n"
        await checkpoint()


async def raw(items: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Give an endpoint's items as they are, in turns with the rest of the loop."""
    async for item in items:
        yield item
        await checkpoint()


async def events(call: Any, items: Any, serialize: Serializer, stack: AsyncExitStack) -> AsyncIterator[bytes]:
    """Give the items as events, and a comment whenever there was none for a while.

    The endpoint runs in a task of its own, so that waiting for it can be cut short; ``stack`` ends that task.
    """
    source = items.__aiter__() if _is_async_gen_callable(call) else iterate_in_threadpool(items)
    queue = await stack.enter_async_context(_produced(source, event_serializer(serialize)))
    return _with_pings(queue)


@asynccontextmanager
async def _produced(source: AsyncIterator[Any], serialize: Serializer) -> AsyncIterator[asyncio.Queue[Any]]:
    queue: asyncio.Queue[Any] = asyncio.Queue(maxsize=1)

    async def produce() -> None:
        try:
            async for item in source:
                await queue.put(serialize(item))
        except Exception as error:  # noqa: BLE001 - raised where the stream is sent
            await queue.put(error)
        await queue.put(_END)

    task = asyncio.ensure_future(produce())
    try:
        yield queue
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _with_pings(queue: asyncio.Queue[Any]) -> AsyncIterator[bytes]:
    from ..sse import KEEPALIVE_COMMENT  # noqa: PLC0415 - imported by the first such stream

    while True:
        try:
            async with asyncio.timeout(_ping_interval()):
                item = await queue.get()
        except TimeoutError:
            item = KEEPALIVE_COMMENT
        if item is _END:
            return
        if isinstance(item, Exception):
            raise item
        yield item
        await checkpoint()


def _ping_interval() -> float:
    """Give the seconds between pings; FastAPI's users know the setting as `fastapi.routing._PING_INTERVAL`."""
    from .. import routing  # noqa: PLC0415 - the package that this module is in

    seconds: float = routing._PING_INTERVAL
    return seconds
