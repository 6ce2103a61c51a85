"""A request is answered before its body has come: every client sees the answer, and no other request waits."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import httpx
import pytest
import requests
from h2.errors import ErrorCodes
from tests.conftest import require_program
from tests.support import servers
from tests.support.http2 import Client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = servers.PATIENCE
ANSWER = b'"not read"'


@pytest.fixture(scope="module")
def apps(request: pytest.FixtureRequest) -> Path:
    return request.path.parent / "apps"


@pytest.fixture(scope="module", params=["wsgi", "asgi", "app"])
def server(request: pytest.FixtureRequest, apps: Path) -> Iterator[servers.Server]:
    patient = ("--linger-timeout", str(PATIENCE))  # a slow machine's clients send slowly
    with servers.data_bridge(f"unreading:{request.param}", *patient, app_dir=apps) as running:
        yield running
        assert running.stop() == 0


@pytest.fixture(params=[100_000, 10_000_000])
def body(request: pytest.FixtureRequest) -> bytes:
    return b"x" * int(request.param)


@pytest.mark.parametrize("version", [1, 2])
def test_httpx_sends_all_and_reads_then(server: servers.Server, body: bytes, version: int) -> None:
    with httpx.Client(http1=version == 1, http2=version == 2, timeout=PATIENCE) as client:
        for _ in range(3):
            assert client.post(f"{server.url}/", content=body).content == ANSWER
        assert client.get(f"{server.url}/").content == ANSWER


def test_requests_does_so_too(server: servers.Server, body: bytes) -> None:
    with requests.Session() as session:
        for _ in range(3):
            assert session.post(f"{server.url}/", data=body, timeout=PATIENCE).content == ANSWER


@pytest.mark.parametrize("version", ["--http1.1", "--http2-prior-knowledge"])
@pytest.mark.parametrize("expect", ["Expect: 100-continue", "Expect:"])
def test_curl_reads_while_it_sends(
    server: servers.Server, body: bytes, version: str, expect: str, tmp_path: Path
) -> None:
    (tmp_path / "body").write_bytes(body)
    command = [require_program("curl"), "-sS", version, "-H", expect, "--data-binary", f"@{tmp_path / 'body'}"]
    ended = subprocess.run([*command, f"{server.url}/"], capture_output=True, timeout=PATIENCE, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, ANSWER, b"")


def test_nghttp_is_not_reset(server: servers.Server, body: bytes, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(body)
    command = [require_program("nghttp"), "-v", "-d", str(tmp_path / "body"), f"{server.url}/"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    assert ANSWER.decode() in said
    assert "RST_STREAM" not in said


def test_other_requests_of_the_connection_have_the_room(server: servers.Server) -> None:
    with Client(server) as client:
        for _ in range(40):  # together more than the connection's window, and all a stream's allows at once
            stream = client.ask("/", method="POST", end=False)
            client.send(stream, b"x" * 60_000)
            assert client.answer(stream) == (200, ANSWER)
        stream = client.ask("/", method="POST", end=False)
        client.send(stream, b"x" * 3_000_000, end=True)
        assert client.answer(stream) == (200, ANSWER)


def test_a_long_answer_does_not_wait_for_a_client_that_sends_first(apps: Path) -> None:
    patient = ("--linger-timeout", str(PATIENCE))
    with (
        servers.data_bridge("unreading:app_large", *patient, app_dir=apps) as server,
        httpx.Client(http1=False, http2=True, timeout=PATIENCE) as client,
    ):
        assert client.post(f"{server.url}/", content=b"x" * 3_000_000).content == b"x" * 1_000_000


def test_who_never_ends_is_told_that_nothing_more_is_wanted(apps: Path) -> None:
    with (
        servers.data_bridge("unreading:asgi", "--linger-timeout", "0.05", app_dir=apps) as server,
        Client(server) as client,
    ):
        stream = client.ask("/", method="POST", end=False)
        assert client.answer(stream) == (200, ANSWER)
        assert client.reason(stream) == ErrorCodes.NO_ERROR
        assert client.answer(client.ask("/")) == (200, ANSWER)


def test_a_request_that_is_refused_may_have_a_body(apps: Path, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(b"x" * 1_000_000)
    patient = ("--linger-timeout", str(PATIENCE))
    with servers.data_bridge("unreading:asgi", *patient, app_dir=apps) as server:
        command = [require_program("curl"), "-sS", "--http2-prior-knowledge", "-o", "/dev/null", "-w", "%{http_code}"]
        fields = [flag for number in range(120) for flag in ("-H", f"x-{number}: y")]
        sent = [*command, *fields, "--data-binary", f"@{tmp_path / 'body'}", f"{server.url}/"]
        ended = subprocess.run(sent, capture_output=True, timeout=PATIENCE, check=False)
        assert (ended.returncode, ended.stdout) == (0, b"431")
