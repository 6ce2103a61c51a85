"""Apps that say what their request is called, in the answer and in a log line, and fail where they are asked to."""

from __future__ import annotations

import json
import logging
from typing import Any

import fastapi

import data_bridge
from data_bridge import request_ids
from data_bridge.requests import Request  # noqa: TC001 - read when the route is made

own = data_bridge.App()
fastapi_app = fastapi.FastAPI()
logger = logging.getLogger("data_bridge")


def seen(name: str | None) -> dict[str, Any]:
    logger.warning("at work")
    return {"told": name, "context": request_ids.current.get()}


async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        raise RuntimeError
    if scope["path"] == "/broken":
        raise LookupError
    said = json.dumps(seen(scope.get("state", {}).get("request_id")))
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": said})
        await send({"type": "websocket.close"})
        return
    headers = [(b"X-Request-Id", b"the app's")] if scope["path"] == "/named" else []
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": said.encode()})


def wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    if environ["PATH_INFO"] == "/broken":
        raise LookupError
    start_response("200 OK", [("content-type", "application/json")])
    return [json.dumps(seen(environ.get("data_bridge.request_id"))).encode()]


@own.get("/seen")
async def own_seen(request: Request) -> dict[str, Any]:
    return seen(getattr(request.state, "request_id", None))


@own.get("/async")
async def own_async() -> dict[str, Any]:
    return seen(request_ids.current.get())


@own.get("/thread")
def own_thread() -> dict[str, Any]:
    return seen(request_ids.current.get())


@own.get("/broken")
async def own_broken() -> None:
    raise LookupError


@fastapi_app.get("/seen")
async def fastapi_seen(request: fastapi.Request) -> dict[str, Any]:
    return seen(getattr(request.state, "request_id", None))


@fastapi_app.get("/async")
async def fastapi_async() -> dict[str, Any]:
    return seen(request_ids.current.get())


@fastapi_app.get("/thread")
def fastapi_thread() -> dict[str, Any]:
    return seen(request_ids.current.get())


@fastapi_app.get("/broken")
async def fastapi_broken() -> None:
    raise LookupError
