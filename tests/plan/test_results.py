"""What routes of a FastAPI app return reaches the client byte for byte as under uvicorn, warnings included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
from tests.plan.apps import results
from tests.support import servers

APPS = Path(__file__).parent / "apps"
PATHS = [route.path for route in results.app.routes if route.path not in ("/docs/oauth2-redirect", "/redoc", "/docs")]


def answers(base: str) -> list[Any]:
    with httpx.Client(limits=httpx.Limits(max_keepalive_connections=0)) as client:
        found = [client.get(base + path) for path in PATHS]
    return [(answer.status_code, answer.headers["content-type"], answer.content) for answer in found]


def test_results_are_written_as_under_uvicorn() -> None:
    with (
        servers.data_bridge("results:app", app_dir=APPS) as ours,
        servers.uvicorn("results:app", app_dir=APPS) as theirs,
    ):
        for path, got, expected in zip(PATHS, answers(ours.url), answers(theirs.url), strict=True):
            assert got == expected, path
    # Their output is complete once they have ended.
    assert warned(ours) == warned(theirs) > 0


def warned(server: servers.Server) -> int:
    return server.output.count("Pydantic serializer warnings")
