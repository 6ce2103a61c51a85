"""The hello app of Starlette's own documentation, and a WebSocket."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute


async def homepage(request):
    return JSONResponse({"hello": "world"})


async def echo(websocket):
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    await websocket.close()


app = Starlette(routes=[Route("/", homepage), WebSocketRoute("/echo", echo)])
