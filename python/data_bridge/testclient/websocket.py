"""A WebSocket as a test sees it: what it sends the app receives, what the app sends it receives."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any, Literal, Self

from ..websockets import WebSocketDisconnect
from .library import httpx

if TYPE_CHECKING:
    from ..types import ASGIApp, Message, Scope
    from .portal import PortalFactory

#: Seconds for an app that was told of the disconnect to end, before it is cancelled.
_PATIENCE = 0.5


class WebSocketDenialResponse(httpx.Response, WebSocketDisconnect):  # type: ignore[misc]  # both have a `__setstate__`
    """Raised when the app answered the opening request by a response instead of a WebSocket: that response."""

    _theirs = "starlette.testclient.WebSocketDenialResponse"


class WebSocketTestSession:
    """A WebSocket, open for as long as the ``with`` block lasts."""

    def __init__(self, app: ASGIApp, scope: Scope, portal_factory: PortalFactory) -> None:
        self.app = app
        self.scope = scope
        self.accepted_subprotocol: str | None = None
        self.extra_headers: Any = None
        self.portal_factory = portal_factory

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self.portal = stack.enter_context(self.portal_factory())
            self._talk = self.portal.call(_Talk, self.app, self.scope)
            run = self.portal.start_task_soon(self._talk.run)
            stack.callback(run.result)
            stack.callback(self.portal.call, self._talk.stop)
            self.send({"type": "websocket.connect"})
            message = self.receive()
            self._raise_on_close(message)
            self.accepted_subprotocol = message.get("subprotocol")
            self.extra_headers = message.get("headers")
            stack.callback(self.close, 1000)
            self.exit_stack = stack.pop_all()
        return self

    def __exit__(self, *exc_info: Any) -> bool | None:
        return self.exit_stack.__exit__(*exc_info)

    def send(self, message: Message) -> None:
        """Send an ASGI message to the app."""
        self.portal.call(self._talk.to_app.put_nowait, message)

    def send_text(self, data: str) -> None:
        """Send text."""
        self.send({"type": "websocket.receive", "text": data})

    def send_bytes(self, data: bytes) -> None:
        """Send bytes."""
        self.send({"type": "websocket.receive", "bytes": data})

    def send_json(self, data: Any, mode: Literal["text", "binary"] = "text") -> None:
        """Send a JSON document."""
        text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
        self.send({"type": "websocket.receive", **({"text": text} if mode == "text" else {"bytes": text.encode()})})

    def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Leave."""
        self.send({"type": "websocket.disconnect", "code": code, "reason": reason})

    def receive(self) -> Message:
        """Give the app's next ASGI message. Raises ``EOFError`` where the app broke and there is none."""
        message: Message = self.portal.call(self._talk.next)
        return message

    def receive_text(self) -> str:
        """Give the app's next text. Raises :class:`WebSocketDisconnect` where it closes."""
        text: str = self._receive()["text"]
        return text

    def receive_bytes(self) -> bytes:
        """Give the app's next bytes. Raises :class:`WebSocketDisconnect` where it closes."""
        data: bytes = self._receive()["bytes"]
        return data

    def receive_json(self, mode: Literal["text", "binary"] = "text") -> Any:
        """Give the app's next JSON document. Raises :class:`WebSocketDisconnect` where it closes."""
        message = self._receive()
        return json.loads(message["text"] if mode == "text" else message["bytes"].decode())

    def _receive(self) -> Message:
        message = self.receive()
        self._raise_on_close(message)
        return message

    def _raise_on_close(self, message: Message) -> None:
        if message["type"] == "websocket.close":
            raise WebSocketDisconnect(code=message.get("code", 1000), reason=message.get("reason", ""))
        if message["type"] != "websocket.http.response.start":
            return
        body, more = b"", True
        while more:
            part = self.receive()
            assert part["type"] == "websocket.http.response.body"  # noqa: S101 - tests read it
            body += part["body"]
            more = part.get("more_body", False)
        raise WebSocketDenialResponse(status_code=message["status"], headers=message["headers"], content=body)


class _Talk:
    """The app's run and its two queues, all in the portal's loop."""

    def __init__(self, app: ASGIApp, scope: Scope) -> None:
        self.to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message | None] = asyncio.Queue()
        self._app = app
        self._scope = scope
        self._task: asyncio.Task[Any] | None = None
        self._is_stopped = False

    async def run(self) -> None:
        """Run the app. Its exceptions are raised; that we stopped it is none."""
        self._task = asyncio.current_task()
        try:
            if not self._is_stopped:
                await self._app(self._scope, self.to_app.get, self._send)
        except asyncio.CancelledError:
            if not self._is_stopped:
                raise
        finally:
            # Whoever waits for a message, or will, learns that there is none.
            self._from_app.put_nowait(None)

    async def next(self) -> Message:
        """Wait for the app's next message."""
        message = await self._from_app.get()
        if message is None:
            self._from_app.put_nowait(None)
            raise EOFError("the application ended and sent no further message")
        return message

    async def stop(self) -> None:
        """Cancel the app, if it does not end by what it was told."""
        self._is_stopped = True
        if self._task is None:
            await asyncio.sleep(0)
        if self._task is not None:
            # Threads of its may be at work: a round of the loop more or less says nothing.
            await asyncio.wait({self._task}, timeout=_PATIENCE)
            self._task.cancel()

    async def _send(self, message: Message) -> None:
        self._from_app.put_nowait(message)
