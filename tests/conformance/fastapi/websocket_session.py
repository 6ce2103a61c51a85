"""Starlette's WebSocketTestSession by a real client: the same calls, each a frame on a socket."""

from __future__ import annotations

import socket

from starlette.testclient import WebSocketDenialResponse, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

#: What the client writes itself.
OWN = {"host", "connection", "upgrade", "user-agent"}


class Session(WebSocketTestSession):
    """One connection; `end` is called when it is over, and may raise what the app raised."""

    def __init__(self, request, running, end, patience) -> None:
        self._request, self._running, self._end, self._patience = request, running, end, patience
        self.accepted_subprotocol = None
        self.extra_headers = None

    def __enter__(self):
        fields = [(name, value) for name, value in self._request.headers.multi_items() if name.lower() not in OWN]
        asked = self._request.headers.get("sec-websocket-protocol")
        try:
            self._opened = connect(
                str(self._request.url.copy_with(scheme="ws")),
                sock=socket.create_connection(("127.0.0.1", self._running.port)),
                additional_headers=[field for field in fields if not field[0].lower().startswith("sec-websocket")],
                subprotocols=[name.strip() for name in asked.split(",")] if asked else None,
                user_agent_header=self._request.headers.get("user-agent"),
                open_timeout=self._patience,
                proxy=None,
            )
            self._connection = self._opened.__enter__()
        except InvalidStatus as refused:
            self._end()
            answer = refused.response
            if answer.status_code == 403 and not answer.body:
                raise WebSocketDisconnect(1006) from None
            fields = list(answer.headers.raw_items())
            raise WebSocketDenialResponse(
                status_code=answer.status_code, headers=fields, content=bytes(answer.body or b"")
            ) from None
        self._running.sessions += 1
        self.accepted_subprotocol = self._connection.subprotocol
        fields = self._connection.response.headers.raw_items()
        self.extra_headers = [(name.lower().encode(), value.encode()) for name, value in fields]
        return self

    def __exit__(self, *args):
        self._opened.__exit__(None, None, None)
        self._running.sessions -= 1
        self._end()

    def send(self, message) -> None:
        if message["type"] == "websocket.disconnect":
            self._connection.close(message.get("code", 1000), message.get("reason") or "")
        else:
            self._connection.send(message["text"] if message.get("text") is not None else message["bytes"])

    def receive(self):
        try:
            content = self._connection.recv(self._patience)
        except ConnectionClosed as closed:
            frame = closed.rcvd
            code, reason = (frame.code, frame.reason) if frame else (1006, "")
            return {"type": "websocket.close", "code": code, "reason": reason}
        return {"type": "websocket.send", "text" if isinstance(content, str) else "bytes": content}
