"""One answer by each kind of app, none of which looks at the request's body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import data_bridge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def wsgi(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    start("200 OK", [("Content-Type", "application/json")])
    return [b'"not', b' read"']


async def asgi(scope: dict[str, Any], _receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b'"not read"'})


async def app_large(scope: dict[str, Any], _receive: Any, send: Any) -> None:
    """Answers with more than a client's window takes."""
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x" * 1_000_000})


app = data_bridge.App()


@app.api_route("/", methods=["GET", "POST"])
async def unread() -> str:
    return "not read"
