"""Native handlers with what stands around them: HTTP/2, what is counted, `--reload`."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from h2.errors import ErrorCodes
from tests.support import servers
from tests.support.figures import await_figures
from tests.support.http2 import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parent / "apps"
RELOADED = """
import native_cases as cases

from data_bridge import App

app = App()
app.native("/count", cases.count)
app.native("/process", cases.process)
app.native("/TEXT", cases.lives)
"""


@pytest.fixture(scope="module")
def server(modules: Path) -> Iterator[servers.Server]:
    env = {"PYTHONPATH": str(modules)}
    with servers.data_bridge("handlers:app", "--no-access-log", app_dir=APPS, env=env) as running:
        yield running


def test_over_http2(server: servers.Server) -> None:
    with httpx.Client(base_url=server.url, http1=False, http2=True, timeout=servers.PATIENCE) as client:
        row = client.get("/rows/999999").json()
        assert row["rows"][0]["price"] == 999_999
        assert client.post("/doubled", json={"amount": 21}).json() == {"amount": 42}
        assert client.get("/numbers").text == "line 1\nline 2\nline 3\n"
        assert client.get("/large").content == b"x" * 1_000_000
        assert client.post("/echoed", content=iter([b"a" * 100_000] * 5)).content == b"a" * 500_000
        assert client.get("/site/hello/you").text == "hello you"
        assert (client.get("/panics").status_code, client.get("/never/limited").status_code) == (500, 504)
        with pytest.raises(httpx.RemoteProtocolError):
            client.get("/broken_off")


@pytest.mark.parametrize("path", ["/never", "/never_there"])
def test_a_stream_that_is_reset_drops_the_future(server: servers.Server, path: str) -> None:
    def endless() -> tuple[int, int]:
        begun, dropped = httpx.get(f"{server.url}/endless", timeout=servers.PATIENCE).text.split()
        return int(begun), int(dropped)

    begun, dropped = endless()
    with Client(server) as client:
        stream = client.ask(path)
        server.wait_until(lambda: endless() == (begun + 1, dropped))
        client.h2.reset_stream(stream, ErrorCodes.CANCEL)
        client.flush()
        server.wait_until(lambda: endless() == (begun + 1, dropped + 1))


def test_their_routes_are_counted_as_templates(modules: Path) -> None:
    options = ("--no-access-log", "--metrics-port", "0")
    with servers.data_bridge("handlers:app", *options, app_dir=APPS, env={"PYTHONPATH": str(modules)}) as server:
        with httpx.Client(base_url=server.url, timeout=servers.PATIENCE) as client:
            for path in ("/rows/5", "/rows/6", "/rows/no", "/numbers", "/site/hello/a", "/site/none"):
                client.get(path)
            client.get("/panics")
            client.get("/never/limited")
        expected = {
            ("GET", "/rows/{price}", "200"): 2,
            ("GET", "/rows/{price}", "422"): 1,
            ("GET", "/numbers", "200"): 1,
            ("GET", "/site", "200"): 1,
            ("GET", "/site", "404"): 1,
            ("GET", "/panics", "500"): 1,
            ("GET", "/never/limited", "504"): 1,
        }
        figures = await_figures(server, lambda figures: sum(figures.answered().values()) >= 8)
        assert figures.answered() == expected
        # Panics are written down when a connection is at work in a later second.
        ask = f"{server.url}/python"
        await_figures(server, lambda figures: httpx.get(ask).is_success and figures.get("panics_total") == 1)


PROXY = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "X-Request-ID": "order-7"}


@pytest.mark.parametrize("target", ["handlers:app", "behind:app"])
@pytest.mark.parametrize("path", ["/asker", "/site/asker"])
def test_who_asks_and_under_which_name(modules: Path, target: str, path: str) -> None:
    options = ("--request-id", "--forwarded-allow-ips", "127.0.0.1")
    with servers.data_bridge(target, *options, app_dir=APPS, env={"PYTHONPATH": str(modules)}) as server:
        ask = f"{server.url}{path}"
        behind_proxy = httpx.get(ask, headers=PROXY, timeout=servers.PATIENCE)
        assert behind_proxy.text == "203.0.113.7 https order-7"
        direct = httpx.get(ask, timeout=servers.PATIENCE)
        assert direct.text == f"127.0.0.1 http {direct.headers['x-request-id']}"


@pytest.mark.parametrize("start", [servers.data_bridge, servers.uvicorn])
def test_who_asks_without_a_name(modules: Path, start: Any) -> None:
    with start("handlers:app", app_dir=APPS, env={"PYTHONPATH": str(modules)}) as server:
        for path in ("/asker", "/site/asker"):
            assert httpx.get(f"{server.url}{path}", timeout=servers.PATIENCE).text == "127.0.0.1 http -"


def test_a_reload_makes_the_states_anew(modules: Path, tmp_path: Path) -> None:
    source = tmp_path / "app.py"
    source.write_text(RELOADED.replace("TEXT", "first"))
    env = {"PYTHONPATH": str(modules)}

    def get(path: str) -> httpx.Response:
        return httpx.get(f"{server.url}{path}", timeout=servers.PATIENCE)

    with servers.data_bridge("app:app", "--reload", app_dir=tmp_path, env=env) as server:
        assert [get("/count").text for _ in range(3)] == ["0", "1", "2"]
        before = get("/process").text
        source.write_text(RELOADED.replace("TEXT", "second"))
        server.wait_until(lambda: get("/second").status_code == 200)
        assert get("/process").text != before
        assert (get("/second").text, get("/count").text) == ("1 0", "0")
        server.wait_for(f"the shared state of {before} is gone")
        after = get("/process").text
        assert server.stop(signal.SIGINT) == 0
        assert f"the shared state of {after} is gone" in server.output
