"""A client of HTTP/2 that sees every event, and can do what clients should not."""

from __future__ import annotations

import contextlib
import select
import socket
from collections import deque
from typing import TYPE_CHECKING, Self, TypeVar

from h2.config import H2Configuration
from h2.connection import ConnectionInputs, ConnectionState, H2Connection
from h2.events import ConnectionTerminated, DataReceived, Event, ResponseReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError

from tests.support.servers import PATIENCE

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from tests.support.servers import Server

E = TypeVar("E", bound=Event)


class Client:
    """One connection, by prior knowledge or inside of TLS."""

    def __init__(self, server: Server, context: ssl.SSLContext | None = None) -> None:
        self.socket = socket.create_connection((server.host, server.port), PATIENCE)
        if context is not None:
            context.set_alpn_protocols(["h2"])
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.scheme = "http" if context is None else "https"
        self.h2 = H2Connection(H2Configuration(header_encoding="utf-8", validate_outbound_headers=False))
        # The library takes GOAWAY for the end, although what is at work goes on (RFC 9113, 6.8).
        machine = self.h2.state_machine
        states = (ConnectionState.IDLE, ConnectionState.CLIENT_OPEN)  # before and after the first request
        stays = {(state, ConnectionInputs.RECV_GOAWAY): (None, state) for state in states}
        machine._transitions = {**machine._transitions, **stays}
        self.ended = False
        #: Whether what is received is acknowledged at once, so that the server may go on.
        self.takes = True
        self._events: deque[Event] = deque()
        self.h2.initiate_connection()
        self.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.socket.close()

    def flush(self) -> None:
        """Send what the state machine wants to say."""
        if data := self.h2.data_to_send():
            self.socket.sendall(data)

    def ask(
        self, path: str, *headers: tuple[str, str], method: str = "GET", end: bool = True, protocol: str | None = None
    ) -> int:
        """Begin a request; gives its stream."""
        stream = self.h2.get_next_available_stream_id()
        pseudo = [(":method", method), (":scheme", self.scheme), (":authority", "localhost"), (":path", path)]
        if protocol:
            pseudo.append((":protocol", protocol))
        self.h2.send_headers(stream, [*pseudo, *headers], end_stream=end)
        self.flush()
        return stream

    def send(self, stream: int, data: bytes, *, end: bool = False) -> None:
        """Send a part of a body, when there is room for it."""
        while len(data) > 0:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(data))
            if room == 0:
                self._more()
                continue
            self.h2.send_data(stream, data[:room])
            self.flush()
            data = data[room:]
        if end:
            self.h2.end_stream(stream)
            self.flush()

    def next(self, kind: type[E], stream: int | None = None) -> E:
        """Wait for an event of this kind; others stay for later."""
        while True:
            for event in self._events:
                if isinstance(event, kind) and stream in (None, getattr(event, "stream_id", None)):
                    self._events.remove(event)
                    return event
            assert not self.ended, f"closed before {kind.__name__}; {list(self._events)}"
            self._more()

    def answer(self, stream: int) -> tuple[int, bytes]:
        """Wait for a whole response."""
        status = self.status(stream)
        self.next(StreamEnded, stream)
        return status, self.body(stream)

    def status(self, stream: int) -> int:
        """Wait for the head of a response."""
        head = self.next(ResponseReceived, stream)
        assert head.headers is not None
        return int(str(dict(head.headers)[":status"]))

    def body(self, stream: int) -> bytes:
        """Give what has come of a body, and has not been given yet."""
        found = [event for event in self._events if isinstance(event, DataReceived) and event.stream_id == stream]
        for event in found:
            self._events.remove(event)
        return b"".join(event.data or b"" for event in found)

    def reason(self, stream: int) -> int:
        """Wait for the stream to be reset."""
        code = self.next(StreamReset, stream).error_code
        assert code is not None
        return int(code)

    def has(self, kind: type[Event], stream: int | None = None) -> bool:
        """Say whether such an event has come, and was not taken yet."""
        return any(
            isinstance(event, kind) and stream in (None, getattr(event, "stream_id", None)) for event in self._events
        )

    def last_stream(self) -> int | None:
        """Give the last stream that the server will answer, once it has said so."""
        found = [event.last_stream_id for event in self._events if isinstance(event, ConnectionTerminated)]
        return found[-1] if found else None

    def look(self) -> None:
        """Take what the server has said already."""
        while not self.ended and select.select([self.socket], [], [], 0)[0]:
            self._more()

    def wait(self) -> None:
        """Wait until the server has said something more."""
        self._more()

    def goodbye(self) -> int | None:
        """Wait for the end of the connection; gives what the server said of it last, where it said anything."""
        while not self.ended:
            self._more()
        codes = [event.error_code for event in self._events if isinstance(event, ConnectionTerminated)]
        return None if not codes or codes[-1] is None else int(codes[-1])

    def raw(self, data: bytes) -> bool:
        """Send anything; says whether the server still takes it."""
        self.flush()
        try:
            self.socket.sendall(data)
        except OSError:
            self.ended = True
        return not self.ended

    def _more(self) -> None:
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionError:
            data = b""
        if not data:
            self.ended = True
            return
        try:
            events = self.h2.receive_data(data)
        except ProtocolError as error:
            raise AssertionError(f"the server does not keep to the protocol: {error!r}") from error
        for event in events:
            self._events.append(event)
            if isinstance(event, DataReceived) and self.takes and event.flow_controlled_length:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        with contextlib.suppress(ConnectionError):
            self.flush()


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Give a frame, whatever it may be."""
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
    return head + payload
