"""Apps that say whom they take for their client: ASGI, WSGI, our own, and a FastAPI app that compiles."""

from __future__ import annotations

import json
from typing import Any

import fastapi

import data_bridge
from data_bridge.requests import Request  # noqa: TC001 - read when the route is made
from data_bridge.responses import FileResponse

own = data_bridge.App()
fastapi_app = fastapi.FastAPI()


async def asgi(scope: dict[str, Any], receive: Any, send: Any) -> None:
    assert scope["type"] in ("http", "websocket")
    seen = json.dumps({name: scope[name] for name in ("scheme", "client", "server")})
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": seen})
        await send({"type": "websocket.close"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": seen.encode()})


def wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("content-type", "application/json")])
    client = [environ["REMOTE_ADDR"], int(environ["REMOTE_PORT"])] if environ.get("REMOTE_PORT") else None
    return [json.dumps({"scheme": environ["wsgi.url_scheme"], "client": client}).encode()]


@own.get("/seen")
async def own_seen(request: Request) -> dict[str, Any]:
    return {"scheme": request.url.scheme, "client": request.client}


@own.get("/file")
async def own_file() -> FileResponse:
    return FileResponse(__file__)


@fastapi_app.get("/seen")
async def fastapi_seen(request: fastapi.Request) -> dict[str, Any]:
    return {"scheme": request.url.scheme, "client": request.client}
