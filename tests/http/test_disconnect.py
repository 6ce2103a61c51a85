"""Clients that leave, with a reset or with a FIN: whose handler is cancelled, whose runs on, who is still answered."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parent / "apps"

#: An App, a FastAPI app on its compiled plan.
COMPILED = ("leaving:app", "leaving:foreign")


class Leavers:
    """A server, a client that stays and asks, and those that leave."""

    def __init__(self, server: servers.Server, client: httpx.Client) -> None:
        self.server = server
        self._client = client

    def seen(self) -> list[str]:
        answer = self._client.get("/seen")
        seen: list[str] = answer.json() if answer.status_code != 504 else []  # the server's deadline is for this, too
        return seen

    def until(self, event: str) -> None:
        """Ask until the app has seen it."""
        deadline = time.monotonic() + servers.PATIENCE
        while event not in self.seen():
            assert time.monotonic() < deadline, f"{event!r} did not come: {self.seen()}"

    def go_on(self) -> None:
        """Let everything that waits go on."""
        assert self._client.get("/open").status_code == 200

    def ask(self, request: str) -> socket.socket:
        """Send a request; its handler waits when this returns."""
        sock = self.send(request)
        self.until(f"{request.rpartition('/')[2]} waits")
        return sock

    def send(self, request: str, field: str = "content-length: 0") -> socket.socket:
        sock = socket.create_connection((self.server.host, self.server.port), timeout=servers.PATIENCE)
        sock.sendall(f"{request} HTTP/1.1\r\nhost: x\r\n{field}\r\n\r\n".encode())
        return sock


def reset(sock: socket.socket) -> None:
    """Leave with a reset instead of a FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def rest(sock: socket.socket) -> bytes:
    """Read until the server closes."""
    with sock:
        received = b""
        while chunk := sock.recv(65536):
            received += chunk
    return received


@contextlib.contextmanager
def serving(target: str, *options: str) -> Iterator[Leavers]:
    with (
        servers.data_bridge(target, *options, app_dir=APPS) as server,
        httpx.Client(base_url=server.url, timeout=servers.PATIENCE) as client,
    ):
        yield Leavers(server, client)
        assert server.stop() == 0
    assert "Traceback" not in server.output
    assert "ERROR" not in server.output


@pytest.mark.parametrize("target", COMPILED)
def test_a_reset_cancels_what_is_read_and_carries_through_what_changes(target: str) -> None:
    with serving(target) as leavers:
        for request in ("GET /read", "POST /change"):
            reset(leavers.ask(request))
        leavers.until("read was cancelled")
        leavers.go_on()
        leavers.until("change ended")
        assert "read ended" not in leavers.seen()


@pytest.mark.parametrize("target", COMPILED)
def test_a_half_closed_client_is_answered_within_the_grace(target: str) -> None:
    with serving(target, "--disconnect-grace", "30") as leavers:
        sock = leavers.ask("GET /read")
        sock.shutdown(socket.SHUT_WR)
        leavers.go_on()
        assert rest(sock).endswith(b'\r\n\r\n"read"')


@pytest.mark.parametrize("target", COMPILED)
def test_what_still_runs_after_the_grace_is_cancelled(target: str) -> None:
    with serving(target, "--disconnect-grace", "0.2") as leavers:
        socks = [leavers.ask(request) for request in ("GET /read", "POST /change")]
        for sock in socks:
            sock.shutdown(socket.SHUT_WR)
        leavers.until("read was cancelled")
        assert [rest(sock) for sock in socks] == [b"", b""]  # so the grace is over for both of them
        leavers.go_on()
        leavers.until("change ended")


def test_a_route_has_the_last_word() -> None:
    with serving("leaving:app") as leavers:
        for request in ("GET /kept", "POST /dropped", "GET /stream"):
            reset(leavers.ask(request))
        leavers.until("dropped was cancelled")
        leavers.until("stream was cancelled")
        leavers.go_on()
        leavers.until("kept ended")


@pytest.mark.parametrize("target", [*COMPILED, "leaving:raw"])
def test_the_setting_is_for_all_requests(target: str) -> None:
    with serving(target, "--on-disconnect", "cancel") as leavers:
        reset(leavers.ask("POST /change"))
        leavers.until("change was cancelled")
    with serving(target, "--on-disconnect", "ignore") as leavers:
        reset(leavers.ask("GET /read"))
        leavers.go_on()
        leavers.until("read ended")


def test_an_asgi_app_is_told_and_not_cancelled() -> None:
    with serving("leaving:raw") as leavers:
        reset(leavers.ask("GET /read"))
        reset(leavers.ask("GET /listen"))
        leavers.until("http.disconnect")
        leavers.go_on()
        leavers.until("read ended")


def test_an_app_that_returns_after_half_a_body_is_no_error() -> None:
    with serving("leaving:raw") as leavers:
        sock = leavers.send("POST /listen", "content-length: 10")
        sock.shutdown(socket.SHUT_WR)
        assert rest(sock).startswith(b"HTTP/1.1 400 ")
        leavers.until("http.disconnect")


def test_a_reset_behind_an_upload_that_nobody_reads_is_noticed() -> None:
    with serving("leaving:app") as leavers:
        sock = leavers.send("POST /dropped", "content-length: 100000000")
        leavers.until("dropped waits")
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                sock.send(bytes(65536))
        reset(sock)
        leavers.until("dropped was cancelled")


def test_a_route_has_a_deadline_of_its_own() -> None:
    with serving("leaving:app") as leavers:
        for path in ("late", "threaded"):
            assert rest(leavers.send(f"GET /{path}", "connection: close")).startswith(b"HTTP/1.1 504 ")
        leavers.until("late was cancelled")
        leavers.go_on()


def test_the_servers_deadline_cancels_handlers_of_compiled_routes() -> None:
    for target in COMPILED:
        with serving(target, "--request-timeout", "0.3") as leavers:
            sock = leavers.ask("POST /change")
            assert sock.recv(65536).startswith(b"HTTP/1.1 504 ")
            leavers.until("change was cancelled")
            sock.close()


def test_a_deadline_holds_under_a_foreign_server() -> None:
    with servers.uvicorn("leaving:app", app_dir=APPS) as server:
        assert httpx.get(f"{server.url}/late", timeout=servers.PATIENCE).status_code == 504
