"""What a request is called: in the response, for every kind of app, in the logs; and whose names are taken."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support import servers
from websockets.sync.client import connect

APPS = Path(__file__).parent / "apps"
UUID7 = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
GIVEN = {"x-request-id": "given-1"}


def get(server: servers.Server, path: str, headers: Any = None, **client: bool) -> httpx.Response:
    with httpx.Client(timeout=servers.PATIENCE, **client) as session:  # type: ignore[arg-type]
        return session.get(server.url + path, headers=headers)


@pytest.mark.parametrize(
    ("app", "paths"),
    [
        ("asgi", ["/seen"]),
        ("wsgi", ["/seen"]),
        ("own", ["/seen", "/async", "/thread"]),
        ("fastapi_app", ["/seen", "/async", "/thread"]),
    ],
)
def test_every_kind_of_app_knows_the_name_that_the_client_gets(app: str, paths: list[str]) -> None:
    with servers.data_bridge(f"named:{app}", "--request-id", app_dir=APPS) as server:
        for path in paths:
            for headers in (None, GIVEN):
                response = get(server, path, headers)
                (name,) = response.headers.get_list("x-request-id")
                assert name == "given-1" if headers else re.fullmatch(UUID7, name)
                assert response.json() == {"told": name, "context": name}
                server.wait_for(f"[{name}] at work")
        response = get(server, "/broken")
        assert response.status_code == 500
        server.wait_for(f"[{response.headers['x-request-id']}] Exception in ")


def test_names_differ_and_clients_that_are_not_trusted_name_nothing() -> None:
    options = ("--request-id", "--forwarded-allow-ips", "10.0.0.0/8")
    with servers.data_bridge("named:asgi", *options, app_dir=APPS) as server, httpx.Client() as client:
        names = {client.get(server.url, headers=GIVEN).headers["x-request-id"] for _ in range(50)}
        assert len(names) == 50
        assert all(re.fullmatch(UUID7, name) for name in names)


@pytest.mark.parametrize("given", ["", "two words", "x" * 129])
def test_a_name_that_is_not_sane_is_replaced(given: str) -> None:
    with servers.data_bridge("named:asgi", "--request-id", app_dir=APPS) as server:
        assert re.fullmatch(UUID7, get(server, "/", {"x-request-id": given}).headers["x-request-id"])


def test_websockets_and_http2_have_names_as_well() -> None:
    with servers.data_bridge("named:asgi", "--request-id", app_dir=APPS) as server:
        response = get(server, "/", GIVEN, http1=False, http2=True)
        assert response.headers["x-request-id"] == response.json()["told"] == "given-1"
        with connect(f"ws://127.0.0.1:{server.port}/", additional_headers=GIVEN, proxy=None) as socket:
            assert json.loads(socket.recv(servers.PATIENCE)) == {"told": "given-1", "context": "given-1"}
            assert socket.response is not None
            assert socket.response.headers["x-request-id"] == "given-1"


def test_the_header_has_the_name_that_is_set_and_the_apps_own_value_stays() -> None:
    options = ("--request-id", "--request-id-header", "X-Trace")
    with servers.data_bridge("named:asgi", *options, app_dir=APPS) as server:
        assert get(server, "/", {"x-trace": "t"}).headers["x-trace"] == "t"
    with servers.data_bridge("named:asgi", "--request-id", app_dir=APPS) as server:
        assert get(server, "/named").headers.get_list("x-request-id") == ["the app's"]
    ended = servers.command("run", "named:asgi", "--request-id-header", "a b", folder=APPS)
    assert ended.returncode == 2
    assert "request_id_header must be a header's name, not 'a b'" in ended.stderr


@pytest.mark.parametrize("form", ["json", '{"path": "%(U)s", "request_id": "%(id)s"}'])
def test_the_access_log_names_requests(form: str) -> None:
    options = ("--request-id", "--access-log-format", form)
    with servers.data_bridge("named:asgi", *options, app_dir=APPS) as server:
        get(server, "/logged", GIVEN)
        server.wait_for("/logged")
        (line,) = [line for line in server.output.splitlines() if "/logged" in line]
        assert json.loads(line)["request_id"] == "given-1"


def test_nothing_has_a_name_where_nobody_asks_for_it() -> None:
    with servers.data_bridge("named:asgi", "--access-log-format", "%(U)s %(id)s", app_dir=APPS) as server:
        response = get(server, "/off", GIVEN)
        assert "x-request-id" not in response.headers
        assert response.json() == {"told": None, "context": None}
        server.wait_for("/off -")


def test_the_apps_own_formats_name_the_request(tmp_path: Path) -> None:
    handler = {"class": "logging.StreamHandler", "filters": ["ids"], "formatter": "own"}
    config = {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"ids": {"()": "data_bridge.request_ids.Filter"}},
        "formatters": {"own": {"format": "<%(request_id)s> %(message)s"}},
        "handlers": {"all": handler},
        "root": {"level": "INFO", "handlers": ["all"]},
    }
    path = tmp_path / "logging.json"
    path.write_text(json.dumps(config))
    with servers.data_bridge("named:asgi", "--request-id", "--log-config", str(path), app_dir=APPS) as server:
        server.wait_for("<-> Listening")
        get(server, "/", GIVEN)
        server.wait_for("<given-1> at work")
