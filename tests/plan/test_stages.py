"""After user code has run, nothing runs twice: each stage of a request fails or is left, as under uvicorn."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import struct
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.support import raw, servers

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parent / "apps"
JSON = [(b"content-type", b"application/json")]

STAGES = ["outer", "inner", "short", "endpoint", "result", "stream", "background", "after outer", "after inner"]
STAGES += ["after short", "nowhere"]


@dataclass
class Twins:
    """Our server and uvicorn, and what they were asked."""

    ours: servers.Server
    theirs: servers.Server
    asked: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, body: bytes | None = None) -> None:
        """Ask both, and compare the answers."""
        self.asked.append(f"r{len(self.asked)}")
        target = path + f"&key={self.asked[-1]}"
        answers = [ask(server, method, target, body) for server in (self.ours, self.theirs)]
        assert answers[0] == answers[1], target

    def compare_logs(self, keys: list[str] | None = None) -> None:
        """Compare what each request has done, once it is done: all of them, or some."""
        for key in self.asked if keys is None else keys:
            deadline = time.monotonic() + servers.PATIENCE
            while (seen := log(self.ours, key)) != (expected := log(self.theirs, key)) and time.monotonic() < deadline:
                pass
            assert seen == expected, key


@pytest.fixture(scope="module", params=["", "1"], ids=["bare", "middleware"])
def twins(request: pytest.FixtureRequest) -> Iterator[Twins]:
    env = {"MIDDLEWARE": request.param}
    with (
        servers.data_bridge("stages:app", app_dir=APPS, env=env) as ours,
        servers.uvicorn("stages:app", app_dir=APPS, env=env) as theirs,
    ):
        made = Twins(ours, theirs)
        yield made
        made.compare_logs()  # once more: whatever came late would have run twice


def ask(server: servers.Server, method: str, path: str, body: bytes | None = None) -> Any:
    """One request on a connection of its own; a body that breaks off is an answer too."""
    with raw.Client(server.port) as client:
        try:
            return client.ask(method, path.replace(" ", "%20").encode(), JSON if body else (), body)
        except http.client.IncompleteRead as broken:
            return "broken", broken.partial


def log(server: servers.Server, key: str, until: str = "") -> list[str]:
    seen: list[str] = json.loads(ask(server, "GET", f"/log/{key}?until={until}").body)
    return seen


@pytest.mark.parametrize("what", ["http", "teapot", "error"])
@pytest.mark.parametrize("path", ["/async", "/threaded", "/streamed", "/bare", "/bare-threaded"])
def test_an_exception_in_each_stage(twins: Twins, path: str, what: str) -> None:
    for at in STAGES if "bare" not in path else ["endpoint", "result", "nowhere"]:
        twins.ask("GET", f"{path}?at={at}&what={what}")
        twins.compare_logs(twins.asked[-1:])


@pytest.mark.parametrize("what", ["http", "teapot", "error"])
def test_an_exception_after_a_body_was_read(twins: Twins, what: str) -> None:
    for at in ["endpoint", "result", "nowhere"]:
        twins.ask("POST", f"/bare?at={at}&what={what}", b'{"name": "n"}')
        assert log(twins.ours, twins.asked[-1])[0] == "endpoint"
        twins.compare_logs(twins.asked[-1:])


def leave(server: servers.Server, target: str, key: str, stage: str, body: bytes = b"") -> None:
    """Send a request, and reset the connection once it waits in `stage`."""
    client = socket.create_connection(("127.0.0.1", server.port), servers.PATIENCE)
    head = f"POST {target}&key={key} HTTP/1.1\r\nhost: server\r\ncontent-length: {len(body)}\r\n"
    client.sendall(head.encode() + b"content-type: application/json\r\n\r\n" + body)
    log(server, key, f"{stage} waits")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.parametrize("stage", ["outer", "inner", "endpoint", "background"])
def test_a_client_that_leaves_while_a_stage_waits(twins: Twins, stage: str) -> None:
    key = f"left-{stage}"
    twins.asked.append(key)
    for server in (twins.ours, twins.theirs):
        leave(server, f"/async?wait={stage}", key, stage)
        ask(server, "POST", f"/release/{key}")
        log(server, key, "outer ends")
    twins.compare_logs([key])
    seen = log(twins.ours, key)
    assert len(seen) == len(set(seen))


def test_a_client_that_leaves_a_bare_endpoint(twins: Twins) -> None:
    leave(twins.ours, "/bare?wait=endpoint", "left", "endpoint", b'{"name": "n"}')
    ask(twins.ours, "POST", "/release/left")
    assert log(twins.ours, "left", "endpoint") == ["endpoint waits", "endpoint"]


async def everybody(base: str, path: str, names: list[str]) -> list[Any]:
    async with httpx.AsyncClient(base_url=base, timeout=servers.PATIENCE) as client:
        answers = await asyncio.gather(*(client.get(path, params={"name": name}) for name in names))
        return [answer.json() for answer in answers]


@pytest.mark.parametrize("path", ["/context", "/context/bare"])
def test_contexts_of_concurrent_requests_stay_apart(twins: Twins, path: str) -> None:
    names = [f"n{number}" for number in range(30)]
    answers = [asyncio.run(everybody(server.url, path, names)) for server in (twins.ours, twins.theirs)]
    assert answers[0] == answers[1]
    if path == "/context":
        assert answers[0] == [[name, f"deeper {name}", name] for name in names]
        for name in names:
            assert log(twins.ours, name, f"{name} deeper {name}") == [f"{name} deeper {name}"]
