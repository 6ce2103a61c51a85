"""What other links than plain HTTP cost: messages of a WebSocket, and TLS. Knows the cases, not the servers.

websocket: 64 connections, each sends a text of 64 bytes and waits for its echo; CPU of the server a message
tls: GET plaintext by wrk, plain and over TLS (one certificate, P-256, TLS 1.3); what TLS adds is the difference
"""

import base64
import os
import select
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.driver import wrk
from benchmarks.driver.campaign import Method, medians
from benchmarks.driver.peer import APPS, Launch
from benchmarks.driver.process import Server, StartError, free_port
from benchmarks.driver.progress import Progress, say
from benchmarks.peers import asgi_data_bridge, fastapi_uvicorn, nginx
from benchmarks.scenarios import SCENARIOS

Record = dict[str, Any]
CONNECTIONS = 64
TEXT = b"x" * 64
MASK = b"\x01\x02\x03\x04"
FRAME = bytes([0x81, 0x80 | len(TEXT)]) + MASK + bytes(byte ^ MASK[n % 4] for n, byte in enumerate(TEXT))
ECHO = bytes([0x81, len(TEXT)]) + TEXT
SOCKETS = {
    "asgi_data_bridge": (asgi_data_bridge.command, []),
    "asgi_uvicorn": (fastapi_uvicorn.command, ["--ws", "websockets"]),
}
STEPS = 6


def run(method: Method, progress: Progress) -> dict[str, dict[str, Record]]:
    """Both cases by server."""
    with TemporaryDirectory(prefix="bench-") as scratch:
        cases = {"websocket": _websocket, "tls": _tls}
        return {name: _safely(measure, method, Path(scratch), progress) for name, measure in cases.items()}


def _safely(measure: Any, method: Method, scratch: Path, progress: Progress) -> dict[str, Record]:
    try:
        with ExitStack() as stack:
            found: dict[str, Record] = measure(method, scratch, progress, stack)
            return found
    except (StartError, wrk.LoadError, OSError, subprocess.SubprocessError) as reason:
        say(f"links: absent: {reason}")
        return {"absent": {"absent": str(reason)}}


def _start(command: Any, app: str, flags: list[str], method: Method, scratch: Path) -> Server:
    launch = Launch(app, free_port(), scratch)
    return Server(
        [*command(launch), *flags], port=launch.port, cwd=APPS, env={"PYTHONPATH": str(APPS)}, core=method.server_core
    )


def _repeat(measures: dict[str, Any], method: Method, progress: Progress) -> dict[str, Record]:
    """Each measure once to warm up, then in turn; the median of each."""
    found: dict[str, list[Record]] = {name: [] for name in measures}
    for number in range(-1, method.repeats):
        for name, measure in measures.items():
            record = measure()
            if number >= 0:
                found[name].append(record)
                progress.step(f"links {number + 1}/{method.repeats} {name}")
    return {name: {"repetitions": records, "median": medians(records)} for name, records in found.items()}


def _websocket(method: Method, scratch: Path, progress: Progress, stack: ExitStack) -> dict[str, Record]:
    measures = {}
    for name, (command, flags) in SOCKETS.items():
        server = stack.enter_context(_start(command, "echo_socket", flags, method, scratch))
        server.wait_ready("/")
        clients = stack.enter_context(Echo(server.port))
        measures[name] = lambda server=server, clients=clients: _messages(server, clients, method.seconds)
    return _repeat(measures, method, progress)


def _messages(server: Server, clients: "Echo", seconds: float) -> Record:
    before = server.usage()
    count = clients.run(seconds)
    return {"cpu_us": server.usage().since(before).cpu / count * 1e6, "messages": count}


class Echo:
    """Open WebSockets; use it as a context manager."""

    def __init__(self, port: int) -> None:
        self._clients = {client.fileno(): client for client in (_upgrade(port) for _ in range(CONNECTIONS))}
        self._poll = select.epoll()
        for descriptor in self._clients:
            self._poll.register(descriptor, select.EPOLLIN)

    def __enter__(self) -> "Echo":
        return self

    def __exit__(self, *exc: object) -> None:
        self._poll.close()
        for client in self._clients.values():
            client.close()

    def run(self, seconds: float) -> int:
        """Sends for that long; gives how many messages came back."""
        end = time.monotonic() + seconds
        count, waiting = 0, len(self._clients)
        for client in self._clients.values():
            client.sendall(FRAME)
        while waiting:
            for descriptor, _ in self._poll.poll(10):
                client = self._clients[descriptor]
                if client.recv(4096) != ECHO:
                    raise StartError("an echo is not what was sent")
                count += 1
                if time.monotonic() < end:
                    client.sendall(FRAME)
                else:
                    waiting -= 1
        return count


def _upgrade(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    fields = f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
    client.sendall(f"GET / HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n".encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += client.recv(1)
    if not head.startswith(b"HTTP/1.1 101"):
        raise StartError(f"no WebSocket: {head.decode(errors='replace').splitlines()[0]}")
    return client


def _tls(method: Method, scratch: Path, progress: Progress, stack: ExitStack) -> dict[str, Record]:
    chain, key = scratch / "chain.pem", scratch / "key.pem"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    made = ["openssl", "req", "-x509", *curve, "-keyout", str(key), "-out", str(chain), "-subj", "/CN=localhost"]
    subprocess.run(made, check=True, capture_output=True)
    flags = ["--ssl-certfile", str(chain), "--ssl-keyfile", str(key)]

    def sealed_nginx(launch: Launch) -> list[str]:
        command = nginx.command(launch)
        file = Path(command[-1])
        sealed = f"backlog=4096 ssl; ssl_certificate {chain}; ssl_certificate_key {key}; ssl_protocols TLSv1.3;"
        file.write_text(file.read_text().replace("backlog=4096;", sealed))
        return command

    servers = {
        ("asgi_data_bridge", "http"): (asgi_data_bridge.command, []),
        ("asgi_data_bridge", "https"): (asgi_data_bridge.command, flags),
        ("nginx", "http"): (nginx.command, []),
        ("nginx", "https"): (sealed_nginx, []),
    }
    measures = {}
    for (name, scheme), (command, own) in servers.items():
        server = stack.enter_context(_start(command, "raw_asgi", own, method, scratch))
        _wait_for(server)
        measures[f"{name}/{scheme}"] = lambda server=server, scheme=scheme: _requests(server, scheme, method)
    return _repeat(measures, method, progress)


def _requests(server: Server, scheme: str, method: Method) -> Record:
    before = server.usage()
    load = wrk.load(
        SCENARIOS["plaintext"], server.port, seconds=method.seconds, core=method.generator_core, scheme=scheme
    )
    if load.failed or not load.requests:
        raise StartError(f"{scheme}: {load.failed} failed of {load.requests}")
    return {"cpu_us": server.usage().since(before).cpu / load.requests * 1e6, "rps": load.rps}


def _wait_for(server: Server, timeout: float = 20.0) -> None:
    end = time.monotonic() + timeout
    while True:
        try:
            socket.create_connection(("127.0.0.1", server.port), timeout=5).close()
        except OSError:
            if time.monotonic() > end or not server.alive():
                raise StartError(server.last_line()) from None
            time.sleep(0.01)
        else:
            return
