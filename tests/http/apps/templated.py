"""Apps of frameworks, none of them compiled, whose routes are counted by what they leave in the scope."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from fastapi import APIRouter, FastAPI, WebSocket
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, WebSocketRoute


async def ok(_request: Any) -> PlainTextResponse:
    return PlainTextResponse("ok")


async def boom(_request: Any) -> None:
    raise RuntimeError("boom")


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    await websocket.close()


async def raw(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer, and leave in the scope what the query says."""
    if scope["type"] == "lifespan":
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})
        return
    said = {
        b"template": {"path_template": "/shop/{item}"},
        b"number": {"path_template": 7},
        b"word": {"path_template": "unmatched"},
        b"long": {"path_template": "/" + "x" * 400},
        b"surrogate": {"path_template": "/\ud800"},
        b"route": {"route": Strange()},
        b"nothing": {"route": None},
        b"mounts": {"route": Strange(), "app_root_path": "/elsewhere", "root_path": "/here"},
        b"fastapi": {"route": Strange(), "fastapi": "not a dict"},
    }
    scope.update(said.get(scope["query_string"], {}))
    if scope["path"] == "/held":
        gc.collect()
    else:
        scope["held"] = Held(scope, send)
        held.add(scope["held"])
    if scope["path"] == "/raises":
        raise RuntimeError("no answer")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(len(held)).encode()})


class Held:
    """What an app leaves in a scope, and refers to it and to the call."""

    def __init__(self, *what: Any) -> None:
        self.what = what


held: weakref.WeakSet[Held] = weakref.WeakSet()


class Strange:
    """A route that cannot be looked at."""

    @property
    def path(self) -> str:
        raise LookupError("not this way")


inner = [Route("/", ok), Route("/items/{number:int}", ok), Mount("/deep", routes=[Route("/end", ok)])]
starlette = Starlette(
    routes=[
        Route("/", ok),
        Route("/items/{number:int}", ok),
        Route("/boom", boom),
        WebSocketRoute("/echo/{name}", echo),
        Mount("/sub", routes=inner),
        Mount("/tenants/{tenant}", routes=inner),
        Mount("/raw", raw),
        Host("other.example", Starlette(routes=[Route("/hosted", ok)])),
    ]
)

router = APIRouter(prefix="/shop")


@router.get("/items/{number}")
async def item(number: int) -> dict[str, int]:
    return {"number": number}


router.routes.append(Route("/shop/plain", ok))
router.add_api_websocket_route("/echo/{name}", echo)
outer = APIRouter(prefix="/v{version}")
outer.include_router(router)
fastapi = FastAPI(root_path="/behind")
fastapi.include_router(router)
fastapi.include_router(outer)
fastapi.mount("/sub", starlette)


@fastapi.get("/files/{path:path}")
async def file(path: str) -> str:
    return path


@fastapi.get("/boom")
async def fails() -> None:
    raise RuntimeError("boom")
