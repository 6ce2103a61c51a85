"""One App, the tutorial's with only its imports changed, answers alike under four servers, and as FastAPI's does."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import pytest
from tests.strangers.test_fastapi_apps import REQUESTS, _for_httpx, without_own
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parent / "apps"

SERVERS = [servers.data_bridge, servers.uvicorn, servers.hypercorn, servers.granian]

#: Fields that a server adds or leaves out as it likes where an answer has no length of its own, or no body.
FRAMING = {"transfer-encoding", "connection"}


@pytest.fixture(scope="module")
def expected() -> list[Any]:
    """What FastAPI's own app answers under uvicorn; the app counts what it was asked."""
    with servers.uvicorn("tutorial:app", app_dir=APPS) as server:
        return answers(server.url)


@pytest.fixture(scope="module", params=SERVERS, ids=lambda serve: serve.__name__)
def ours(request: pytest.FixtureRequest) -> Iterator[str]:
    """Our App under each server."""
    with request.param("own_tutorial:app", app_dir=APPS) as server:
        yield server.url


def answers(base: str) -> list[Any]:
    found = []
    for method, path, options in REQUESTS:
        # A connection for each: what one server does with a connection after an error is no matter here.
        with httpx.Client(base_url=base, verify=False) as client:
            answer = client.request(method, path, **_for_httpx(options))
        fields = sorted((k.lower(), v) for k, v in answer.headers.items() if k.lower() not in FRAMING)
        found.append(without_own((answer.status_code, fields, answer.content), base))
    return found


def test_answers_are_those_of_fastapi(ours: str, expected: list[Any]) -> None:
    for sent, got, wanted in zip(REQUESTS, answers(ours), expected, strict=True):
        # Ours needs no network: it is another page.
        assert got == wanted or (sent[1] == "/docs" and got[0] == 200), sent


def test_an_upload_as_a_form(ours: str) -> None:
    answer = httpx.post(f"{ours}/form", data={"name": "n"}, files={"file": ("a.bin", b"\0" * 70_000)})
    assert answer.json() == {"name": "n", "filename": "a.bin", "size": 70_000}


def test_websockets(ours: str) -> None:
    async def talk() -> list[Any]:
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(f"{ours}/rooms/7?token=t") as websocket:
                await websocket.send_str("hello")
                said = json.loads(await websocket.receive_str(timeout=servers.PATIENCE))
                await websocket.close(code=4000)
            try:
                await session.ws_connect(f"{ours}/rooms/none")
            except aiohttp.WSServerHandshakeError as refused:
                return [said, refused.status]
        raise AssertionError("the room that is no number was open")

    assert asyncio.run(talk()) == [{"room": 7, "token": "t", "text": "hello"}, 403]
