"""WebSocket apps: one of FastAPI's, as users write them, and one of bare ASGI that tells what it sees."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from starlette.responses import JSONResponse

app = FastAPI()
seen: list[str] = []


@app.get("/seen")
async def report() -> list[str]:
    return seen


@app.websocket("/echo")
async def echo(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                seen.append(f"{message['code']} {message.get('reason') or ''}".strip())
                return
            await socket.send({**message, "type": "websocket.send"})
    except WebSocketDisconnect:
        seen.append("send failed")


@app.websocket("/scope/{name}")
async def scope(socket: WebSocket, name: str) -> None:
    chosen = socket.scope["subprotocols"][-1] if socket.scope["subprotocols"] else None
    await socket.accept(subprotocol=chosen, headers=[(b"x-own", b"one"), (b"x-own", b"two")])
    shown = {key: value for key, value in socket.scope.items() if key not in FRAMEWORK}
    shown["headers"] = sorted((key.decode(), value.decode()) for key, value in shown["headers"])
    await socket.send_json({key: repr(value) for key, value in shown.items()} | {"name": name})
    await socket.close(4000, "the end")


#: What FastAPI puts into the scope, and what differs by the connection.
FRAMEWORK = {
    "app",
    "router",
    "endpoint",
    "path_params",
    "route",
    "client",
    "server",
    "asgi",
    "state",
    "app_root_path",
} | {
    "fastapi_middleware_astack",
    "fastapi_inner_astack",
    "fastapi_function_astack",
    "starlette.exception_handlers",
}


@app.websocket("/closes/{code}")
async def closes(socket: WebSocket, code: int, reason: str = "") -> None:
    await socket.accept()
    await socket.close(code, reason)


@app.websocket("/refuses")
async def refuses(socket: WebSocket) -> None:
    await socket.close()


@app.websocket("/denies")
async def denies(socket: WebSocket) -> None:
    await socket.send_denial_response(JSONResponse({"why": "not you"}, 401, {"x-reason": "who"}))


@app.websocket("/raises")
async def raises(socket: WebSocket) -> None:
    raise RuntimeError("before accept")


@app.websocket("/raises_late")
async def raises_late(socket: WebSocket) -> None:
    await socket.accept()
    raise RuntimeError("after accept")


@app.websocket("/returns")
async def returns(socket: WebSocket) -> None:
    await socket.accept()


@app.websocket("/many")
async def many(socket: WebSocket) -> None:
    await socket.accept()
    for number in range(1000):
        await socket.send_text(str(number))
    await socket.close()


async def raw(scope, receive, send) -> None:
    """The bare app, by path."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": "\n".join(seen).encode()})
    elif scope["type"] == "websocket":
        await {"/orders": orders, "/deaf": deaf, "/flood": flood, "/crowd": crowd}[scope["path"]](receive, send)


async def orders(receive, send) -> None:
    """Send what may not be sent where we are, and tell what that raised."""

    async def tried(**message) -> str:
        try:
            await send(message)
        except Exception as error:  # noqa: BLE001 - its name is what is asked for
            return type(error).__name__
        return "nothing"

    caught = [(await receive())["type"]]
    caught.append(await tried(type="websocket.send", text="early"))
    caught.append(await tried(type="websocket.http.response.body", body=b""))
    caught.append(await tried(type="http.response.start", status=200))
    caught.append(await tried(type="websocket.accept", headers=[(b"Upgrade", b"other")]))
    caught.append(await tried(type="websocket.accept", subprotocol="no token"))
    caught.append(await tried(type="websocket.accept"))
    caught.append(await tried(type="websocket.accept"))
    caught.append(await tried(type="websocket.send"))
    caught.append(await tried(type="websocket.send", text=b"bytes"))
    caught.append(await tried(type="websocket.send", text="\ud800"))
    caught.append(await tried(type="websocket.close", code=1006))
    caught.append(await tried(type="websocket.close", reason="é" * 100))
    caught.append(await tried(type="websocket.send", text=" ".join(caught)))
    seen.append(await tried(type="websocket.close"))
    seen.append(await tried(type="websocket.send", text="late"))
    seen.append((await receive())["type"])
    seen.append((await receive())["type"])


async def deaf(receive, send) -> None:
    """Accept and take nothing until the client leaves."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": "open"})
    await asyncio.Event().wait()


async def flood(receive, send) -> None:
    """Send for ever, and tell how much could be."""
    await receive()
    await send({"type": "websocket.accept"})
    seen.append("0")
    try:
        while True:
            await send({"type": "websocket.send", "bytes": bytes(10_000)})
            seen[-1] = str(int(seen[-1]) + 1)
    except OSError:
        seen.append("left")


async def crowd(receive, send) -> None:
    """Let a thousand tasks send at once, and tell how many were through."""
    await receive()
    await send({"type": "websocket.accept"})
    seen.append("0")

    async def one(number: int) -> None:
        await send({"type": "websocket.send", "bytes": number.to_bytes(2, "big") * 5_000})
        seen[-1] = str(int(seen[-1]) + 1)

    await asyncio.gather(*(one(number) for number in range(2000)))
    await send({"type": "websocket.close"})
