"""The hello apps of frameworks, in one process and in workers. Django and Flask: `tests/wsgi`."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from tests.support import servers
from websockets.sync.client import connect

APPS = Path(__file__).parent / "apps"
WORKERS = [(), ("--workers", "2")]


@pytest.mark.parametrize("flags", WORKERS, ids=["one", "workers"])
@pytest.mark.parametrize("name", ["starletted", "litestarred"])
def test_a_hello_app(name: str, flags: tuple[str, ...]) -> None:
    if name == "litestarred":
        pytest.importorskip("litestar")
    with servers.data_bridge(f"{name}:app", *flags, app_dir=APPS) as server:
        for http1 in (True, False):
            with httpx.Client(base_url=server.url, http1=http1, http2=not http1, timeout=servers.PATIENCE) as client:
                answer = client.get("/")
                assert (answer.status_code, answer.json()) == (200, {"hello": "world"})
                assert answer.http_version == ("HTTP/1.1" if http1 else "HTTP/2")
                assert client.get("/missing").status_code == 404
                assert client.post("/").status_code == 405
        with connect(f"ws://{server.host}:{server.port}/echo") as socket:
            socket.send("hello")
            assert socket.recv(timeout=servers.PATIENCE) == "hello"
        assert server.stop() == 0
    assert "Traceback" not in server.output


def test_litestar_reads_bodies_streams_and_uses_threads() -> None:
    pytest.importorskip("litestar")
    with (
        servers.data_bridge("litestarred:app", app_dir=APPS) as server,
        httpx.Client(base_url=server.url, timeout=servers.PATIENCE) as client,
    ):
        assert client.get("/sync/5").json() == 5
        assert client.post("/body", json={"a": 1}).json() == {"a": 1}
        assert client.post("/body", content=b"{").status_code == 400
        assert client.get("/stream").text == "part\n" * 3
