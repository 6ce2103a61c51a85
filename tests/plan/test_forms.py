"""Forms without files on the plan, of FastAPI's app and of ours, beside FastAPI on uvicorn."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support import servers

APPS = Path(__file__).parent / "apps"

URLENCODED = "application/x-www-form-urlencoded"
BODIES = [
    b"name=ab",
    b"name=a+b%20%C3%A4&name=last",
    b"name=",
    b"name",
    b"",
    b"=",
    b"&&name=ab&",
    b"name=%FF",
    b"name=a\xe4b",
    b"name=ab;age=2",
    b"name=ab&age=5&tags=a&tags=&number=1&number=2&number=1&Other=on",
    b"name=ab&age=&tags=&number=&Other=",
    b"name=ab&age=x",
    b"name=ab&number=1&number=x",
    b"name=a",
    b"age=1",
    b"name=ab&extra=1",
    b"name=ab&numbers=3&other=on",
    b"name=ab" + b"&a=b" * 1001,
    b"%6eame=ab",
    b"value=[1,2]",
    b"name=ab&age=%35",
    b'{"name": "ab"}',
]
TYPES = [
    URLENCODED,
    "Application/X-WWW-Form-URLEncoded",
    f"{URLENCODED}; charset=utf-8",
    f"{URLENCODED};charset=latin-1",
    "application/json",
    "text/plain",
    "",
    "multipart/form-data",
]
LOGIN = b"grant_type=password&username=u&password=p&scope=a+b&client_id=c"
MULTIPART = b'--b\r\ncontent-disposition: form-data; name="name"\r\n\r\nab\r\n--b--\r\n'
PATHS = ["/one", "/many/1", "/many/x", "/model", "/json", "/file", "/fails", "/depends", "/login"]

Sent = tuple[str, str, bytes]
REQUESTS: list[Sent] = [
    *((path, URLENCODED, body) for path in PATHS for body in BODIES),
    *((path, kind, b"name=ab") for path in PATHS for kind in TYPES),
    *((path, "multipart/form-data; boundary=b", MULTIPART) for path in PATHS),
    *(("/login", URLENCODED, body) for body in (LOGIN, LOGIN.replace(b"word&", b"&"), LOGIN.replace(b"u&", b"&"))),
    ("/override", "", b""),
    *(("/depends", URLENCODED, body) for body in (b"name=ab&age=2", b"age=x", b"")),
]


def answers(server: servers.Server) -> list[Any]:
    with httpx.Client(base_url=server.url) as client:
        found = []
        for path, kind, body in REQUESTS:
            fields = {"content-type": kind} if kind else {}
            answer = client.post(path, content=body, headers=fields)
            found.append((answer.status_code, answer.headers.get("content-type"), answer.content))
    return found


@pytest.mark.parametrize("app", ["app", "bounded"])
def test_forms_are_read_as_fastapi_reads_them(app: str) -> None:
    with ExitStack() as stack:
        oracle = stack.enter_context(servers.uvicorn(f"forms:{app}", app_dir=APPS, env={"FRAMEWORK": "fastapi"}))
        expected = answers(oracle)
        for framework in ("fastapi", "data_bridge.fastapi"):
            ours = stack.enter_context(servers.data_bridge(f"forms:{app}", app_dir=APPS, env={"FRAMEWORK": framework}))
            under_uvicorn = stack.enter_context(
                servers.uvicorn(f"forms:{app}", app_dir=APPS, env={"FRAMEWORK": framework})
            )
            for server in (ours, under_uvicorn):
                for sent, got, wanted in zip(REQUESTS, answers(server), expected, strict=True):
                    assert got == wanted, (framework, sent)


@pytest.mark.parametrize("framework", ["fastapi", "data_bridge.fastapi"])
def test_the_plan_reads_them(framework: str) -> None:
    with servers.data_bridge("forms:app", app_dir=APPS, env={"FRAMEWORK": framework}) as server:
        assert httpx.post(f"{server.url}/planned", data={"name": "x"}).json() is True
        assert httpx.post(f"{server.url}/planned", files={"name": (None, "x")}).json() is False
