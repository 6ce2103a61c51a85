"""One connection that asks at a steady pace: latencies where wrk's closed loop would only measure itself."""

import socket
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """One answered request."""

    sent: float  # time.monotonic() when it was sent; the clock is the same in every process
    seconds: float


def pace(port: int, path: str, *, seconds: float, interval: float = 0.007, timeout: float = 10.0) -> list[Sample]:
    """Asks `path` every `interval` seconds on one connection and returns how long each answer took."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    samples = []
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = time.monotonic() + seconds
        while (sent := time.monotonic()) < end:
            client.sendall(request)
            read_answer(client)
            took = time.monotonic() - sent
            samples.append(Sample(sent, took))
            time.sleep(max(interval - took, 0.0))
    return samples


def percentile(samples: list[float], share: float) -> float:
    """The value below which that share (0–1) of the samples lies."""
    ordered = sorted(samples)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def read_answer(client: socket.socket) -> None:
    """Reads one answer with a Content-Length or chunked framing to its end."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _some(client)
    head, _, body = received.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise ConnectionError(head.split(b"\r\n")[0].decode(errors="replace"))
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
    length = int(fields[b"content-length"]) if b"content-length" in fields else None
    while len(body) < length if length is not None else not body.endswith(b"0\r\n\r\n"):
        body += _some(client)


def _some(client: socket.socket) -> bytes:
    data = client.recv(65536)
    if not data:
        raise ConnectionError("the server closed the connection")
    return data
