"""A FastAPI app whose author never wrote for us answers as under uvicorn, to three kinds of clients."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
import pytest
import requests
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parent / "apps"

REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/", {}),
    ("HEAD", "/", {}),
    ("GET", "/lifespan", {}),
    ("GET", "/models/resnet", {}),
    ("GET", "/models/unknown", {}),
    ("GET", "/files/home/me/a%20b.txt", {}),
    ("GET", "/items/3?q=foo&size=1&size=2", {"headers": {"X-Token": "a", "Cookie": "session=abc"}}),
    ("GET", "/items/0", {}),
    ("GET", "/items/x", {}),
    ("GET", "/items/3?q=much-too-long-for-this", {}),
    ("GET", "/items/404", {}),
    ("POST", "/items", {"json": {"name": "a", "price": 1.5, "tags": ["x"]}}),
    ("POST", "/items", {"json": {"name": "a", "price": -1}}),
    ("POST", "/items", {"data": b"{broken", "headers": {"content-type": "application/json"}}),
    ("PUT", "/items/7", {"json": {"item": {"name": "b", "price": 2}}}),
    ("GET", "/dependencies", {}),
    ("POST", "/background", {}),
    ("GET", "/events", {}),
    ("GET", "/stream", {}),
    ("GET", "/sync", {}),
    ("GET", "/html", {}),
    ("GET", "/old", {}),
    ("GET", "/large", {"headers": {"Accept-Encoding": "gzip"}}),
    ("GET", "/large", {"headers": {"Accept-Encoding": "identity"}}),
    ("DELETE", "/items/3", {}),
    ("POST", "/raw", {"data": b"x" * 300_000}),
    ("GET", "/nowhere", {}),
    ("POST", "/sync", {}),
    ("GET", "/sub/inner", {}),
    ("GET", "/sub/", {}),
    ("GET", "/openapi.json", {}),
    ("GET", "/docs", {}),
    ("GET", "/", {"headers": {"Origin": "https://example.org"}}),
    ("OPTIONS", "/", {"headers": {"Origin": "https://example.org", "Access-Control-Request-Method": "GET"}}),
    ("GET", "/broken", {}),  # the last one: uvicorn closes the connection after it
]

#: Written by the server itself, each in its own way.
OWN = {"date", "server"}


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[str, str]]:
    with (
        servers.data_bridge("tutorial:app", app_dir=APPS) as ours,
        servers.uvicorn("tutorial:app", app_dir=APPS) as theirs,
    ):
        yield ours.url, theirs.url


def by_requests(base: str) -> list[Any]:
    with requests.Session() as session:
        session.headers.clear()
        return [
            (answer.status_code, sorted((k.lower(), v) for k, v in answer.headers.items()), answer.content)
            for method, path, options in REQUESTS
            for answer in [
                session.request(method, base + path, allow_redirects=False, timeout=servers.PATIENCE, **options)
            ]
        ]


def by_httpx(base: str) -> list[Any]:
    with httpx.Client() as client:
        return [
            (answer.status_code, sorted((k.lower(), v) for k, v in answer.headers.items()), answer.content)
            for method, path, options in REQUESTS
            for answer in [client.request(method, base + path, **_for_httpx(options))]
        ]


def _for_httpx(options: dict[str, Any]) -> dict[str, Any]:
    return {("content" if key == "data" else key): value for key, value in options.items()}


def by_aiohttp(base: str) -> list[Any]:
    async def ask() -> list[Any]:
        answers = []
        timeout = aiohttp.ClientTimeout(total=servers.PATIENCE)
        async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
            for method, path, options in REQUESTS:
                async with session.request(method, base + path, allow_redirects=False, **options) as answer:
                    fields = sorted((k.lower(), v) for k, v in answer.headers.items())
                    answers.append((answer.status, fields, await answer.read()))
        return answers

    return asyncio.run(ask())


@pytest.mark.parametrize("client", [by_requests, by_httpx, by_aiohttp])
def test_answers_as_under_uvicorn(pair: tuple[str, str], client: Any) -> None:
    ours, theirs = pair
    for sent, got, expected in zip(REQUESTS, client(ours), client(theirs), strict=True):
        assert without_own(got, ours) == without_own(expected, theirs), sent


def without_own(answer: Any, base: str) -> Any:
    """Leave out what each server says of itself; its own address in a redirect becomes a constant."""
    status, fields, body = answer
    return status, [(k, v.replace(base, "http://server")) for k, v in fields if k not in OWN], body


def test_an_upload_as_a_form(pair: tuple[str, str]) -> None:
    answers = [
        httpx.post(base + "/form", data={"name": "n"}, files={"file": ("a.bin", b"\0" * 70_000)}) for base in pair
    ]
    assert answers[0].status_code == answers[1].status_code == 200
    assert answers[0].json() == answers[1].json() == {"name": "n", "filename": "a.bin", "size": 70_000}
