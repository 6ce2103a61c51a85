"""`--debug`: tracebacks for every kind of app, asyncio's debug mode, a warning; and none of it without."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from tests.support import servers

APPS = Path(__file__).parent / "debugged"


@pytest.mark.parametrize("app", ["asgi", "wsgi", "own", "fastapi_app", "starlette_app"])
@pytest.mark.parametrize("path", ["/broken", "/thread"])
def test_tracebacks_are_shown_where_that_is_asked_for(app: str, path: str) -> None:
    with servers.data_bridge(f"broken:{app}", "--debug", app_dir=APPS) as server:
        response = httpx.get(server.url + path)
        assert (response.status_code, response.headers["content-type"]) == (500, "text/plain; charset=utf-8")
        assert response.text.startswith("Traceback (most recent call last):")
        assert "LookupError: of mine" in response.text
        assert "broken.py" in response.text
        server.wait_for("LookupError: of mine")
        assert "Not for production." in server.output
    with servers.data_bridge(f"broken:{app}", app_dir=APPS) as server:
        response = httpx.get(server.url + path)
        assert (response.status_code, response.text) == (500, "Internal Server Error")
        assert "Not for production." not in server.output


@pytest.mark.parametrize("app", ["own", "fastapi_app", "starlette_app"])
def test_browsers_get_a_page(app: str) -> None:
    with servers.data_bridge(f"broken:{app}", "--debug", app_dir=APPS) as server:
        response = httpx.get(server.url + "/broken", headers={"accept": "text/html"})
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert "LookupError" in response.text


def test_asyncio_checks_itself_in_this_process_and_in_workers() -> None:
    for more in ((), ("--workers", "2")):
        with servers.data_bridge("broken:asgi", "--debug", *more, app_dir=APPS) as server:
            assert httpx.get(server.url + "/mode").text == "True"
    with servers.data_bridge("broken:asgi", app_dir=APPS) as server:
        assert httpx.get(server.url + "/mode").text == "False"


def test_what_was_begun_is_not_answered_anew() -> None:
    with servers.data_bridge("broken:asgi", "--debug", app_dir=APPS) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(server.url + "/begun")
        server.wait_for("LookupError: of mine")
