"""Endpoints as classes: a method an HTTP method, or a method an event of a WebSocket."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from .concurrency import is_async_callable, run_in_threadpool
from .exceptions import BaseHTTPException

if TYPE_CHECKING:
    from collections.abc import Generator

    from .requests import Request
    from .responses import Response
    from .types import Message, Receive, Scope, Send
    from .websockets import WebSocket

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")


class HTTPEndpoint:
    """Answers each method by its method of that name: ``get(request)``, which also answers HEAD, ``post(request)``."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"  # noqa: S101 - the type that users know
        self.scope = scope
        self.receive = receive
        self.send = send
        has = {method for method in _METHODS if getattr(self, method.lower(), None) is not None}
        self._allowed_methods = [m for m in _METHODS if m in has or (m == "HEAD" and "GET" in has)]

    def __await__(self) -> Generator[Any, None, None]:
        return self.dispatch().__await__()

    async def dispatch(self) -> None:
        """Answer the request."""
        from .requests import Request  # noqa: PLC0415 - the module is there by the first request

        request: Request = Request(self.scope, self.receive, self.send)
        name = request.method.lower()
        if request.method not in self._allowed_methods:
            name = "method_not_allowed"
        elif name == "head" and not hasattr(self, "head"):
            name = "get"
        handler = getattr(self, name)
        response = await (handler(request) if is_async_callable(handler) else run_in_threadpool(handler, request))
        await response(self.scope, self.receive, self.send)

    async def method_not_allowed(self, _request: Request) -> Response:
        """Answer 405. In an application it is raised, so that the application's own handlers see it."""
        headers = {"Allow": ", ".join(self._allowed_methods)}
        if "app" in self.scope:
            raise BaseHTTPException(status_code=405, headers=headers)
        from .responses import PlainTextResponse  # noqa: PLC0415 - an endpoint outside of an application is rare

        return PlainTextResponse("Method Not Allowed", status_code=405, headers=headers)


class WebSocketEndpoint:
    """Calls a method for each event of a WebSocket. ``encoding`` says what messages are; None takes both kinds."""

    encoding: Literal["text", "bytes", "json"] | None = None

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "websocket"  # noqa: S101 - the type that users know
        self.scope = scope
        self.receive = receive
        self.send = send

    def __await__(self) -> Generator[Any, None, None]:
        return self.dispatch().__await__()

    async def dispatch(self) -> None:
        """Converse until either side leaves."""
        from .websockets import WebSocket  # noqa: PLC0415 - imported by the first WebSocket

        websocket: WebSocket = WebSocket(self.scope, receive=self.receive, send=self.send)
        await self.on_connect(websocket)
        close_code = 1000
        try:
            while (message := await websocket.receive())["type"] == "websocket.receive":
                await self.on_receive(websocket, await self.decode(websocket, message))
            close_code = int(message.get("code") or close_code)
        except Exception:
            close_code = 1011
            raise
        finally:
            await self.on_disconnect(websocket, close_code)

    async def decode(self, websocket: WebSocket, message: Message) -> Any:
        """Give what a message holds; one that is not of our encoding closes the WebSocket with 1003."""
        text, data = message.get("text"), message.get("bytes")
        if self.encoding == "json":
            try:
                return json.loads(data or b"" if text is None else text)
            except ValueError as error:
                await websocket.close(code=1003)
                raise RuntimeError("Malformed JSON data received.") from error
        if self.encoding is None:
            return data if text is None else text
        assert self.encoding in ("text", "bytes"), f"Unsupported 'encoding' attribute {self.encoding}"  # noqa: S101
        if message.get(self.encoding) is None:
            await websocket.close(code=1003)
            got = "bytes" if self.encoding == "text" else "text"
            raise RuntimeError(f"Expected {self.encoding} websocket messages, but got {got}")
        return message[self.encoding]

    async def on_connect(self, websocket: WebSocket) -> None:
        """Accept. To be overridden."""
        await websocket.accept()

    async def on_receive(self, websocket: WebSocket, data: Any) -> None:
        """Take a message. To be overridden."""

    async def on_disconnect(self, websocket: WebSocket, close_code: int) -> None:
        """Learn that it is over. To be overridden."""
