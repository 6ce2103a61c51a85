"""What the compiled routes of a FastAPI app do without Python, and what Python code finds inside of them."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

#: CPython registers tasks in a WeakSet, whose code is Python's; so is `copy`, by which Pydantic copies defaults.
FRAMEWORK = re.compile(r"data_bridge/|site-packages/(fastapi|starlette|pydantic|anyio)|/asyncio/|/(inspect|typing)\.py")

APPS = Path(__file__).parent / "apps"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with servers.data_bridge("rich:app", app_dir=APPS) as server:
        yield server.url


@pytest.mark.parametrize(
    ("method", "path", "content", "function"),
    [
        ("GET", "/text", None, "text"),
        ("GET", "/bare-small", None, "bare_small"),
        ("GET", "/path/3/a/b", None, "in_path"),
        ("GET", "/query?q=a&n=2&tag=1&tag=2&colour=green", None, "in_query"),
        ("GET", "/fields", None, "in_fields"),
        ("POST", "/items", {"name": "a", "price": 1}, "create"),
        ("GET", "/plain", None, "plain"),
    ],
)
def test_no_frame_but_the_users(url: str, method: str, path: str, content: Any, function: str) -> None:
    with httpx.Client(base_url=url) as client:
        client.request(method, path, json=content)
        client.get("/frames/start")
        for _ in range(3):
            assert client.request(method, path, json=content).status_code < 300
        frames = client.get("/frames").json()
    assert [frame for frame in frames if FRAMEWORK.search(frame) and function != "plain"] == []
    assert [frame for frame in frames if "/data_bridge/" in frame] == []
    own = [frame.rpartition(":")[2] for frame in frames if frame.rpartition(":")[0].endswith("rich.py")]
    assert own == [function] * 3 + ["show_frames"]


def test_a_hundred_sleepers_sleep_at_once(url: str) -> None:
    async def sleep_all() -> list[int]:
        limits = httpx.Limits(max_connections=100)
        async with httpx.AsyncClient(base_url=url, limits=limits) as client:
            answers = await asyncio.gather(*(client.get("/slow") for _ in range(100)))
            return [answer.status_code for answer in answers]

    assert asyncio.run(sleep_all()) == [200] * 100


def test_contexts_do_not_leak_between_requests(url: str) -> None:
    with httpx.Client(base_url=url) as client:
        assert client.get("/teapot").json()["mood"] == "angry"
        assert client.get("/mood").json() == "calm"
        client.get("/log")
        client.post("/background")
        assert client.get("/log?until=background%20busy").json() == ["background busy"]
        assert client.get("/mood").json() == "calm"


def test_a_missing_page_needs_no_interpreter(url: str) -> None:
    with httpx.Client(base_url=url) as client:
        client.get("/frames/start")
        assert client.get("/nowhere").json() == {"detail": "Not Found"}
        assert client.post("/text").json() == {"detail": "Method Not Allowed"}
        frames = client.get("/frames").json()
    assert [frame.rpartition(":")[2] for frame in frames if "rich.py" in frame] == ["show_frames"]
    assert [frame for frame in frames if FRAMEWORK.search(frame)] == []
