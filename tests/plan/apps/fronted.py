"""The rich app with the plan in front of its router, for any ASGI server. Counts in a header what the plan served."""

from __future__ import annotations

from typing import Any

from rich import app as rich

from data_bridge.adapters.serve import put_in_front

front = put_in_front(rich)
served: list[str] = []
front.on_planned = lambda _scope, operation: served.append(operation.path)


async def app(scope: Any, receive: Any, send: Any) -> None:
    async def sending(message: Any) -> None:
        if scope["type"] == "http" and scope["path"] == "/served" and message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"x-served", b"%d" % len(served))]
        await send(message)

    await rich(scope, receive, sending)
