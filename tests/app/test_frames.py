"""On a compiled route of an App only the user's functions run in Python."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

#: CPython registers tasks in a WeakSet, whose code is Python's.
FRAMEWORK = re.compile(r"site-packages/pydantic|/asyncio/|/(inspect|typing)\.py")
APPS = Path(__file__).parent / "apps"


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with servers.data_bridge("frames:app", app_dir=APPS) as server, httpx.Client(base_url=server.url) as client:
        yield client


def frames_of(client: httpx.Client, method: str, path: str, content: Any) -> list[str]:
    """The frames of three requests, after a first one."""
    client.request(method, path, json=content)
    client.get("/frames/start")
    for _ in range(3):
        assert client.request(method, path, json=content).status_code == 200
    frames: list[str] = client.get("/frames").json()
    return frames


@pytest.mark.parametrize(
    ("method", "path", "content", "function"),
    [
        ("GET", "/json", None, "message"),
        ("GET", "/inline", None, "at_once"),
        ("GET", "/text", None, "text"),
        ("GET", "/items/7?q=a&limit=3", None, "read"),
        ("POST", "/items", {"name": "a"}, "create"),
        ("POST", "/untyped", {"a": [1]}, "untyped"),
        ("GET", "/models", None, "models"),
        ("GET", "/plain-model", None, "plain_model"),
    ],
)
def test_no_frame_but_the_users(client, method, path, content, function):
    frames = frames_of(client, method, path, content)
    assert [frame for frame in frames if FRAMEWORK.search(frame)] == []
    assert [frame for frame in frames if "/data_bridge/" in frame] == []
    own = [frame.rpartition(":")[2] for frame in frames if frame.rpartition(":")[0].endswith("frames.py")]
    assert own == [function] * 3 + ["show_frames"]


def test_dependencies_cost_one_frame_and_no_reflection(client):
    frames = frames_of(client, "GET", "/depends?q=b", None)
    assert [frame for frame in frames if FRAMEWORK.search(frame)] == []
    ours = [frame for frame in frames if "/data_bridge/" in frame]
    assert {Path(frame.rpartition(":")[0]).name for frame in ours} == {"steps.py"}
    own = [frame.rpartition(":")[2] for frame in frames if frame.rpartition(":")[0].endswith("frames.py")]
    assert own == ["dependency", "depends"] * 3 + ["show_frames"]


def test_who_takes_the_request_is_called_by_the_app(client):
    """As an ASGI application, with the plan at the end of its stack: the arguments are found by the plan."""
    frames = frames_of(client, "GET", "/specials", None)
    ours = {Path(frame.rpartition(":")[0]).name for frame in frames if "/data_bridge/" in frame}
    assert {"front.py", "makers.py", "steps.py", "respond.py"} <= ours
    assert not ours & {"solve.py", "values.py", "handler.py"}
