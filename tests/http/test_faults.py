"""Apps that go wrong: whatever they do, the client gets an answer or an end, and the server serves the next request."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.http.apps import faulty
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parent / "apps"

#: Where something was sent, the client sees that its end is missing, or the whole of it.
BEGUN = {"start_only", "raise_amid_body", "generator", "two_starts", "raise_after_start", "body_text"}
WHOLE = {"raise_after_end", "body_after_end"}


@pytest.fixture(scope="module")
def server() -> Iterator[servers.Server]:
    with servers.data_bridge("faulty:app", "--lifespan", "off", app_dir=APPS) as running:
        yield running
        assert running.process.poll() is None
        assert running.stop() == 0


@pytest.mark.parametrize("when", ["now", "later"])
@pytest.mark.parametrize("name", faulty.NAMES)
def test_the_next_request_is_answered(server: servers.Server, name: str, when: str) -> None:
    with httpx.Client(base_url=server.url, timeout=servers.PATIENCE) as client:
        try:
            answer = client.get(f"/{when}/{name}")
        except httpx.RemoteProtocolError:
            assert name in BEGUN
        else:
            assert answer.status_code == (200 if name in WHOLE else 500)
            assert "x-injected" not in answer.headers
            assert "fault" not in answer.text, "the client learns nothing of the cause"
        assert client.get("/now/pid").text == str(server.process.pid)
