"""Apps that fail, each in a coroutine and in a thread where it has both."""

from __future__ import annotations

import asyncio
from typing import Any

import fastapi
from starlette.applications import Starlette
from starlette.routing import Route

import data_bridge

own = data_bridge.App()
fastapi_app = fastapi.FastAPI()


@own.get("/broken")
@fastapi_app.get("/broken")
async def broken() -> None:
    raise LookupError("of mine")


@own.get("/thread")
@fastapi_app.get("/thread")
def broken_in_a_thread() -> None:
    raise LookupError("of mine")


def of_starlette(_request: Any) -> None:
    raise LookupError("of mine")


starlette_app = Starlette(routes=[Route("/broken", of_starlette), Route("/thread", of_starlette)])


async def asgi(scope: dict[str, Any], _receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    if scope["path"] in ("/mode", "/begun"):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        mode = str(asyncio.get_running_loop().get_debug()).encode()
        await send({"type": "http.response.body", "body": mode, "more_body": scope["path"] == "/begun"})
    if scope["path"] != "/mode":
        raise LookupError("of mine")


def wsgi(_environ: dict[str, Any], _start_response: Any) -> list[bytes]:
    raise LookupError("of mine")
