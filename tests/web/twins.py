"""Each test of the web layer's objects runs on ours and on Starlette's, and compares what came of it."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Web:
    """The modules of one implementation, as attributes."""

    def __init__(self, root: str) -> None:
        self.root = root

    def __getattr__(self, name: str) -> Any:
        return import_module(f"{self.root}.{name}")


OURS = Web("data_bridge")
THEIRS = Web("starlette")


def outcome(call: Callable[[Web], Any], web: Web) -> Any:
    """What a call gives or raises, in comparable form. Coroutine functions are run."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = call(web)
            if inspect.iscoroutine(value):
                value = asyncio.run(value)
    except Exception as error:  # noqa: BLE001 - compared
        name = type(error).__name__.removeprefix("Base").replace("ClientDisconnected", "ClientDisconnect")
        return name, str(error)
    return value


def same(call: Callable[[Web], Any]) -> Any:
    """Run it on both; give what both gave."""
    ours, theirs = outcome(call, OURS), outcome(call, THEIRS)
    assert ours == theirs
    return ours


def http(*headers: tuple[bytes, bytes], method: str = "GET", path: str = "/", **more: Any) -> dict[str, Any]:
    """An ASGI scope."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": list(headers),
        "scheme": "http",
        "server": ("testserver", 80),
        **more,
    }


def receiving(*messages: Any) -> Any:
    """A `receive` that gives these messages, or bodies of requests, and then says that the client has left."""
    left = [message if isinstance(message, dict) else None for message in messages]
    bodies = [message for message in messages if not isinstance(message, dict)]
    count = len(bodies)
    queue = []
    for message, original in zip(left, messages, strict=True):
        if message is None:
            count -= 1
            queue.append({"type": "http.request", "body": original, "more_body": count > 0})
        else:
            queue.append(message)

    async def receive() -> Any:
        return queue.pop(0) if queue else {"type": "http.disconnect"}

    return receive


async def sent_by(app: Any, scope: dict[str, Any], receive: Any = None) -> list[Any]:
    """Every message that an ASGI application sends."""
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append({**message, "headers": list(message["headers"])} if "headers" in message else dict(message))

    async def never() -> None:
        await asyncio.Event().wait()

    await app(scope, receive or never, send)
    return messages
