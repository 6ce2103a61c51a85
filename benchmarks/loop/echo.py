"""TCP echo from outside: the server's loop is under test, the client is a plain blocking one, the same for all.

The client works in rounds: it sends on every connection, then reads every answer. CPU time is the server's alone.
"""

import os
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from benchmarks.driver.environment import PYTHON
from benchmarks.driver.machine import ROOT, pin
from benchmarks.driver.process import cpu_seconds

WARM_UP_SECONDS = 0.2


@dataclass(frozen=True)
class EchoCase:
    """Message size, number of connections, how the server is written; `burn` puts a CPU-bound thread beside it."""

    title: str
    size: int
    connections: int
    burn: bool = False
    style: str = "protocols"


def _grid() -> Iterator[tuple[str, EchoCase]]:
    for kib in (1, 10, 100):
        for connections in (1, 32):
            plural = "s" if connections > 1 else ""
            yield (
                f"echo_{kib}k_{connections}",
                EchoCase(f"echo {kib} KiB, {connections} connection{plural}", kib << 10, connections),
            )


ECHO_CASES = dict(_grid()) | {
    "echo_streams_32": EchoCase("echo 1 KiB, 32 connections, streams", 1 << 10, 32, style="streams"),
    "echo_socks_32": EchoCase("echo 1 KiB, 32 connections, sock_*", 1 << 10, 32, style="socks"),
    "echo_burn": EchoCase("echo 1 KiB, 16 connections, beside a CPU-bound thread", 1 << 10, 16, burn=True),
}


def measure(loop: str, case: EchoCase, *, seconds: float, core: int) -> dict[str, float]:
    """CPU ns of the server per message, and messages per second. A server beside a burning thread is not pinned."""
    with ExitStack() as stack:
        server, port = stack.enter_context(_server(loop, case, None if case.burn else core))
        clients = [stack.enter_context(_connect(port)) for _ in range(case.connections)]
        _grow_buffers(clients)
        _rounds(clients, case.size, WARM_UP_SECONDS)
        before, clock = cpu_seconds(server), time.perf_counter()
        messages = _rounds(clients, case.size, seconds)
        cpu, wall = cpu_seconds(server) - before, time.perf_counter() - clock
        return {"ns": cpu / messages * 1e9, "per_second": messages / wall}


def _grow_buffers(clients: list[socket.socket]) -> None:
    """Large messages first: who reads into 256 KiB blocks pays malloc's mmap for each until one was full.

    A process that has run for a while is past that, so the figures are about the time after it.
    """
    for _ in range(4):
        for client in clients:
            _rounds([client], 1 << 20, 0)


def _rounds(clients: list[socket.socket], size: int, seconds: float) -> int:
    message = os.urandom(size)
    buffer = bytearray(size)
    messages = 0
    end = time.monotonic() + seconds
    while not messages or time.monotonic() < end:
        for client in clients:
            client.sendall(message)
        for client in clients:
            if client.recv_into(buffer, size, socket.MSG_WAITALL) != size:
                raise ConnectionError("the echo server closed the connection")
        messages += len(clients)
    if buffer != message:
        raise ConnectionError("the echo differs from what was sent")
    return messages


def _connect(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    client.settimeout(None)  # a time-out makes Python's sockets non-blocking inside: one poll more per message
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 20, 0))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


@contextmanager
def _server(loop: str, case: EchoCase, core: int | None) -> Iterator[tuple[int, int]]:
    command = [str(PYTHON), "-m", "benchmarks.loop.echo_server", loop, case.style, *(["burn"] if case.burn else [])]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: pin(core),
    )
    assert process.stdout
    assert process.stderr
    try:
        port = process.stdout.readline()
        if not port:
            lines = process.stderr.read().strip().splitlines()
            raise ConnectionError(lines[-1] if lines else "the echo server ended without a word")
        yield process.pid, int(port)
    finally:
        process.kill()
        process.communicate()
