"""What a proxy in front says of the client: trusted ones are believed, for every kind of app and in the log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support import servers
from websockets.sync.client import connect

APPS = Path(__file__).parent / "apps"
SAID = {"x-forwarded-for": "6.6.6.6, 203.0.113.7", "x-forwarded-proto": "https"}


def seen(server: servers.Server, headers: Any = None, **client: bool) -> dict[str, Any]:
    with httpx.Client(timeout=servers.PATIENCE, **client) as session:  # type: ignore[arg-type]
        found: dict[str, Any] = session.get(f"{server.url}/seen", headers=SAID if headers is None else headers).json()
    return found


@pytest.mark.parametrize("app", ["asgi", "wsgi", "own", "fastapi_app"])
def test_a_trusted_proxy_is_believed_and_others_are_not(app: str) -> None:
    with servers.data_bridge(f"proxied:{app}", app_dir=APPS) as server:
        found = seen(server)
        assert (found["scheme"], found["client"]) == ("https", ["203.0.113.7", 0])
        server.wait_for('203.0.113.7:0 - "GET /seen')
        found = seen(server, {})
        assert (found["scheme"], found["client"][0]) == ("http", "127.0.0.1")
    with servers.data_bridge(f"proxied:{app}", "--forwarded-allow-ips", "10.0.0.0/8", app_dir=APPS) as server:
        found = seen(server)
        assert (found["scheme"], found["client"][0]) == ("http", "127.0.0.1")
        server.wait_for(f'127.0.0.1:{found["client"][1]} - "GET /seen')


@pytest.mark.parametrize(
    ("headers", "scheme", "client"),
    [
        (SAID, "https", ["203.0.113.7", 0]),
        ([("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "1.2.3.4, 10.0.0.9")], "http", ["1.2.3.4", 0]),
        ({"x-forwarded-for": "6.6.6.6, 1.2.3.4:567, 127.0.0.1:9"}, "http", ["1.2.3.4", 567]),
        ({"x-forwarded-for": "[2001:db8::5]:80"}, "http", ["2001:db8::5", 80]),
        ({"x-forwarded-for": "2001:db8::5"}, "http", ["2001:db8::5", 0]),
        ({"x-forwarded-for": "10.0.0.7, 10.0.0.9"}, "http", ["10.0.0.7", 0]),
        ({"x-forwarded-proto": "gopher"}, "http", None),
        ({"x-forwarded-for": ""}, "http", None),
    ],
)
def test_headers_mean_what_they_mean_to_uvicorn(
    headers: Any, scheme: str, client: list[Any] | None, both: list[servers.Server]
) -> None:
    for server in both:
        found = seen(server, headers)
        told = found["client"] if client else ["127.0.0.1"]
        assert (found["scheme"], told) == (scheme, client or ["127.0.0.1"])


@pytest.fixture(scope="module")
def both() -> Any:
    options = ("--forwarded-allow-ips", "127.0.0.1,10.0.0.0/8")
    with (
        servers.data_bridge("proxied:asgi", *options, app_dir=APPS) as ours,
        servers.uvicorn("proxied:asgi", *options, app_dir=APPS) as theirs,
    ):
        yield [ours, theirs]


def test_websockets_and_http2_are_told_as_well() -> None:
    with servers.data_bridge("proxied:asgi", app_dir=APPS) as server:
        assert seen(server, http1=False, http2=True)["client"] == ["203.0.113.7", 0]
        with connect(f"ws://127.0.0.1:{server.port}/", additional_headers=SAID, proxy=None) as socket:
            found = json.loads(socket.recv(servers.PATIENCE))
        assert (found["scheme"], found["client"]) == ("wss", ["203.0.113.7", 0])


def test_what_is_hidden_or_malformed_hides_all_behind_it() -> None:
    with servers.data_bridge("proxied:asgi", app_dir=APPS) as server:
        for said in ("6.6.6.6, unknown", "6.6.6.6, 1.2.3.4.5", "6.6.6.6, [::1", "6.6.6.6, \\"):
            assert seen(server, {"x-forwarded-for": said})["client"][0] == "127.0.0.1", said


def test_forwarded_is_read_where_it_is_chosen_and_then_alone() -> None:
    said = {"forwarded": 'for=6.6.6.6, For="[2001:db8::5]:80";Proto=https', "x-forwarded-for": "6.6.6.6"}
    with servers.data_bridge("proxied:asgi", "--forwarded-header", "forwarded", app_dir=APPS) as server:
        found = seen(server, said)
        assert (found["scheme"], found["client"]) == ("https", ["2001:db8::5", 80])
    with servers.data_bridge("proxied:asgi", app_dir=APPS) as server:
        found = seen(server, said)
        assert (found["scheme"], found["client"]) == ("http", ["6.6.6.6", 0])
    with servers.data_bridge("proxied:asgi", "--no-proxy-headers", app_dir=APPS) as server:
        found = seen(server, said)
        assert (found["scheme"], found["client"][0]) == ("http", "127.0.0.1")


def test_what_is_no_network_is_refused() -> None:
    ended = servers.command(
        "run", "proxied:asgi", "--forwarded-allow-ips", "10.0.0.0/33", "--app-dir", str(APPS), folder=APPS
    )
    assert ended.returncode == 2
    assert "'10.0.0.0/33' is no address (10.0.0.1), no network (10.0.0.0/8)" in ended.stderr
