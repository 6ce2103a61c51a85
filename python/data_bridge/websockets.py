"""A WebSocket as an application sees it: ASGI's messages, each in its state only. Knows no frame and no route."""

from __future__ import annotations

import enum
import json
from typing import TYPE_CHECKING, Any, NoReturn, cast

from .interop import both
from .requests import HTTPConnection, StateT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
    from typing import Self

    from .responses import Response
    from .types import Message, Receive, Scope, Send

__all__ = [
    "WebSocket",
    "WebSocketClose",
    "WebSocketDisconnect",
    "WebSocketDisconnected",
    "WebSocketState",
]


class WebSocketState(enum.Enum):
    """Where one side of a connection is."""

    CONNECTING = 0
    CONNECTED = 1
    DISCONNECTED = 2
    #: Refused, with a response that is being sent.
    RESPONSE = 3


class WebSocketDisconnect(Exception):
    """The client has left, with this close code; 1006 if it did not say. Starlette's ``except`` catches it too."""

    _theirs = "starlette.websockets.WebSocketDisconnect"

    def __new__(cls, *args: Any, **options: Any) -> Self:
        """Make one that is Starlette's too where the program has that."""
        kind: type[Self] = both(cls, cls._theirs)
        return super().__new__(kind, *args)

    def __init__(self, code: int = 1000, reason: str | None = None) -> None:
        self.code = code
        self.reason = reason or ""


class WebSocketDisconnected(RuntimeError):
    """A closed WebSocket, or one that is not open yet, was used."""


#: What the application may send in each state, and the state that it leads to.
_SENT: dict[WebSocketState, dict[str, WebSocketState]] = {
    WebSocketState.CONNECTING: {
        "websocket.accept": WebSocketState.CONNECTED,
        "websocket.close": WebSocketState.DISCONNECTED,
        "websocket.http.response.start": WebSocketState.RESPONSE,
    },
    WebSocketState.CONNECTED: {
        "websocket.send": WebSocketState.CONNECTED,
        "websocket.close": WebSocketState.DISCONNECTED,
    },
    WebSocketState.RESPONSE: {"websocket.http.response.body": WebSocketState.DISCONNECTED},
}

#: What may be received in each state, and the state that it leads to.
_RECEIVED: dict[WebSocketState, dict[str, WebSocketState]] = {
    WebSocketState.CONNECTING: {"websocket.connect": WebSocketState.CONNECTED},
    WebSocketState.CONNECTED: {
        "websocket.receive": WebSocketState.CONNECTED,
        "websocket.disconnect": WebSocketState.DISCONNECTED,
    },
}


class WebSocket(HTTPConnection[StateT]):
    """One WebSocket. Closed by its endpoint's end, if it is open then."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope)
        if scope["type"] != "websocket":
            raise AssertionError(f"a connection of type {scope['type']!r} is no WebSocket")
        self._receive = receive
        self._send = send
        self.client_state = WebSocketState.CONNECTING
        self.application_state = WebSocketState.CONNECTING

    async def receive(self) -> Message:
        """Give the next ASGI message. Raises ``RuntimeError`` for one that cannot come now."""
        allowed = _RECEIVED.get(self.client_state)
        if allowed is None:
            raise WebSocketDisconnected('Cannot call "receive" once a disconnect message has been received.')
        message = await self._receive()
        self.client_state = _next(allowed, message)
        return message

    async def send(self, message: Message) -> None:
        """Send an ASGI message. Raises ``RuntimeError`` for one that may not be sent now."""
        state = self.application_state
        allowed = _SENT.get(state)
        if allowed is None:
            raise WebSocketDisconnected('Cannot call "send" once a close message has been sent.')
        reached = _next(allowed, message)
        if not (state is WebSocketState.RESPONSE and message.get("more_body", False)):
            self.application_state = reached
        try:
            await self._send(message)
        except OSError:
            if state is not WebSocketState.CONNECTED:
                raise
            self.application_state = WebSocketState.DISCONNECTED
            raise WebSocketDisconnect(code=1006) from None

    async def accept(
        self, subprotocol: str | None = None, headers: Iterable[tuple[bytes, bytes]] | None = None
    ) -> None:
        """Open the connection, with one of the subprotocols that the client offers and more header fields."""
        if self.client_state is WebSocketState.CONNECTING:
            await self.receive()
        await self.send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": headers or []})

    async def receive_text(self) -> str:
        """Give the next message's text. Raises :class:`WebSocketDisconnect`."""
        return cast("str", (await self._receive_data())["text"])

    async def receive_bytes(self) -> bytes:
        """Give the next message's bytes. Raises :class:`WebSocketDisconnect`."""
        return cast("bytes", (await self._receive_data())["bytes"])

    async def receive_json(self, mode: str = "text") -> Any:
        """Parse the next message as JSON; ``mode`` is ``text`` or ``binary``. Raises :class:`WebSocketDisconnect`."""
        _check_mode(mode)
        message = await self._receive_data()
        return json.loads(message["text"] if mode == "text" else message["bytes"].decode("utf-8"))

    async def _receive_data(self) -> Message:
        if self.application_state is not WebSocketState.CONNECTED:
            raise WebSocketDisconnected('WebSocket is not connected. Need to call "accept" first.')
        message = await self.receive()
        self._raise_on_disconnect(message)
        return message

    def _raise_on_disconnect(self, message: Message) -> None:
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message["code"], message.get("reason"))

    def iter_text(self) -> AsyncIterator[str]:
        """Give the texts of all messages until the client leaves."""
        return _until_disconnect(self.receive_text)

    def iter_bytes(self) -> AsyncIterator[bytes]:
        """Give the bytes of all messages until the client leaves."""
        return _until_disconnect(self.receive_bytes)

    def iter_json(self) -> AsyncIterator[Any]:
        """Give all messages, parsed, until the client leaves."""
        return _until_disconnect(self.receive_json)

    async def send_text(self, data: str) -> None:
        """Send a text."""
        await self.send({"type": "websocket.send", "text": data})

    async def send_bytes(self, data: bytes) -> None:
        """Send bytes."""
        await self.send({"type": "websocket.send", "bytes": data})

    async def send_json(self, data: Any, mode: str = "text") -> None:
        """Send ``data`` as JSON; ``mode`` is ``text`` or ``binary``."""
        _check_mode(mode)
        text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
        if mode == "text":
            await self.send_text(text)
        else:
            await self.send_bytes(text.encode("utf-8"))

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Close the connection; before it was accepted, refuse it (403)."""
        await self.send({"type": "websocket.close", "code": code, "reason": reason or ""})

    async def send_denial_response(self, response: Response) -> None:
        """Refuse the connection with a response. Raises ``RuntimeError`` where the server cannot."""
        if "websocket.http.response" not in self.scope.get("extensions", {}):
            raise RuntimeError("The server doesn't support the Websocket Denial Response extension.")
        await response(self.scope, self.receive, self.send)


class WebSocketClose:
    """An ASGI application that closes every WebSocket."""

    def __init__(self, code: int = 1000, reason: str | None = None) -> None:
        self.code = code
        self.reason = reason or ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Close it."""
        await send({"type": "websocket.close", "code": self.code, "reason": self.reason})


async def _until_disconnect(receive: Callable[[], Awaitable[Any]]) -> AsyncIterator[Any]:
    try:
        while True:
            yield await receive()
    except WebSocketDisconnect:
        return


def _next(allowed: dict[str, WebSocketState], message: Message) -> WebSocketState:
    kind = message["type"]
    if kind not in allowed:
        _refuse(list(allowed), kind)
    return allowed[kind]


def _refuse(allowed: list[str], kind: Any) -> NoReturn:
    *first, last = [f'"{name}"' for name in allowed]
    expected = f"{', '.join(first)} or {last}" if first else last
    raise RuntimeError(f"Expected ASGI message {expected}, but got {kind!r}")


def _check_mode(mode: str) -> None:
    if mode not in ("text", "binary"):
        raise RuntimeError('The "mode" argument should be "text" or "binary".')
