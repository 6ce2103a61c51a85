"""One function builds an app of FastAPI's names, from our package and from FastAPI; each request is answered alike."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

import fastapi

import data_bridge.fastapi
from data_bridge.testclient import TestClient

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    Build = Callable[[ModuleType], Any]
    Sent = tuple[str, str, dict[str, Any]]


def of(package: ModuleType, module: str) -> Any:
    """A module of the package."""
    return import_module(f"{package.__name__}.{module}")


def answers(app: Any, requests: list[Sent]) -> list[Any]:
    """Status, fields and body of each answer; what an endpoint raised is the answer 500."""
    client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
    found = []
    for method, path, options in requests:
        answer = client.request(method, path, **options)
        body = re.sub(rb"at 0x[0-9a-f]+", b"at 0x", answer.content)
        # FastAPI's methods are a set.
        fields = [
            (name, ", ".join(sorted(value.split(", "))) if name == "allow" else value)
            for name, value in answer.headers.multi_items()
        ]
        found.append((method, path, answer.status_code, sorted(fields), body))
    return found


def assert_same(build: Build, requests: list[Sent]) -> None:
    """Build both, ask both, and compare; the documents are compared too."""
    ours, theirs = build(data_bridge.fastapi), build(fastapi)
    for mine, its in zip(answers(ours, requests), answers(theirs, requests), strict=True):
        assert mine == its, f"ours: {mine}\ntheirs: {its}"
    assert ours.openapi() == theirs.openapi()


def get(path: str, **options: Any) -> Sent:
    return "GET", path, options


def post(path: str, **options: Any) -> Sent:
    return "POST", path, options
