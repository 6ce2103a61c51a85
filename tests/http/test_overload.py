"""Too many requests, and requests that take too long: what clients get, and what becomes of the app."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

APPS = Path(__file__).parent / "apps"


def until(condition: Callable[[], bool]) -> None:
    """Ask again until it holds."""
    deadline = time.monotonic() + servers.PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextlib.contextmanager
def limited(*options: str) -> Iterator[tuple[servers.Server, httpx.Client]]:
    with (
        servers.data_bridge("busy:app", *options, app_dir=APPS) as server,
        httpx.Client(base_url=server.url, timeout=servers.PATIENCE) as client,
    ):
        yield server, client


def shown(client: httpx.Client) -> list[str] | None:
    """What the app has seen, unless this question is too much itself."""
    answer = client.get("/seen")
    seen: list[str] | None = answer.json() if answer.is_success else None
    return seen


def occupy(url: str) -> None:
    """Keep a place until the server ends; again where a question of this test's own was quicker."""
    while httpx.get(f"{url}/wait", timeout=servers.PATIENCE).status_code == 503:
        pass


def test_a_late_answer_is_a_504_and_its_task_is_cancelled() -> None:
    with limited("--request-timeout", "1") as (server, client):
        late = client.get("/wait")
        assert (late.status_code, late.text) == (504, "the request took too long")
        until(lambda: shown(client) == ["waiting", "cancelled"])
        assert server.stop() == 0
    assert "Traceback" not in server.output


def test_a_response_that_has_begun_is_not_cut_by_the_time_limit() -> None:
    with limited("--request-timeout", "1") as (_, client), client.stream("GET", "/stream") as answer:
        parts = answer.iter_bytes()
        assert next(parts) == b"begun "
        assert client.get("/wait").status_code == 504  # so the limit has passed for the stream, too
        until(lambda: client.get("/open").status_code == 200)
        assert b"".join(parts) == b"and ended"


def test_requests_beyond_the_limit_are_refused_at_once_without_a_queue() -> None:
    with (
        limited("--limit-concurrency", "2", "--queue-size", "0") as (server, client),
        ThreadPoolExecutor(2) as pool,
    ):
        working = [pool.submit(occupy, server.url)]
        until(lambda: shown(client) == ["waiting"])
        working.append(pool.submit(occupy, server.url))
        until(lambda: client.get("/seen").status_code == 503)
        refused = client.get("/open")
        assert (refused.text, refused.headers["retry-after"]) == ("the server is busy", "5")
        assert not any(answer.done() for answer in working)
        server.process.kill()


def test_a_request_waits_in_the_queue_no_longer_than_it_may() -> None:
    options = ("--limit-concurrency", "1", "--queue-timeout", "0.3")
    with limited(*options) as (_, client):
        with client.stream("GET", "/stream") as answer:
            parts = answer.iter_bytes()
            assert next(parts) == b"begun "
            assert client.get("/open").status_code == 503
        # The stream's client has left, and with it its request.
        until(lambda: client.get("/open").status_code == 200)
