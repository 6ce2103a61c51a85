"""The pages that show an app: everything that they load comes from the app."""

from __future__ import annotations

import re

import pytest

from data_bridge import App
from data_bridge.openapi.assets import names, read
from data_bridge.testclient import TestClient


def loaded(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="([^"]*)"', page)


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_a_page_loads_nothing_from_elsewhere(path: str) -> None:
    client = TestClient(App())
    page = client.get(path).text
    assert "//" not in page.replace("<!DOCTYPE", "")
    for address in loaded(page):
        if not address.startswith("data:"):
            answer = client.get(address)
            assert answer.status_code == 200, address
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_files_are_sent_compressed_to_who_takes_that() -> None:
    client = TestClient(App())
    script = next(address for address in loaded(client.get("/docs").text) if address.endswith(".js"))
    compressed = client.get(script, headers={"accept-encoding": "gzip"})
    plain = client.get(script, headers={"accept-encoding": "identity"})
    assert compressed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert compressed.content == plain.content == read("swagger-ui-dist", "swagger-ui-bundle.js")
    assert compressed.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("name", ["swagger-ui-dist@0/swagger-ui.css", "swagger-ui-dist@5.35.0/nothing", "x@1/y"])
def test_no_other_file_can_be_had(name: str) -> None:
    assert TestClient(App()).get(f"/docs/{name}").status_code == 404


def test_the_licences_lie_beside() -> None:
    from pathlib import Path

    import data_bridge.openapi.assets

    folders = list(Path(data_bridge.openapi.assets.__file__).parent.glob("*@*"))
    assert len(folders) == 2
    assert all((folder / "LICENSE").read_text() for folder in folders)
    assert len(names()) == 5


def test_a_mounted_app_and_a_proxy_move_everything() -> None:
    app, inner = App(), App(docs_url="/help", openapi_url="/api.json")
    app.mount("/inner", inner)
    page = TestClient(app, root_path="/proxy").get("/proxy/inner/help").text
    assert "url: '/proxy/inner/api.json'" in page
    assert all(address.startswith("/proxy/inner/help/swagger-ui-dist@") for address in loaded(page))


def test_what_is_not_asked_for_is_not_there() -> None:
    client = TestClient(App(docs_url=None, redoc_url=None))
    assert [client.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")] == [404, 404, 200]
    closed = TestClient(App(openapi_url=None))
    assert [closed.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")] == [404, 404, 404]


def test_nothing_that_an_app_says_of_itself_becomes_markup() -> None:
    app = App(title="</title><script>", swagger_ui_init_oauth={"appName": "</script>"}, openapi_url="/a'b")
    page = TestClient(app).get("/docs").text
    assert "</title><script>" not in page
    assert page.count("</script>") == 2
    assert "\\u0027b" in page
