"""The rows of docs/fastapi-differences.md, a test each."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import fastapi
import httpx
import pytest
from fastapi.openapi.docs import get_swagger_ui_html
from tests.app.both import ours, theirs
from tests.support import servers

from data_bridge import App
from data_bridge.telemetry.record import kind_of
from data_bridge.testclient import TestClient

DOCUMENT = Path(__file__).parents[2] / "docs" / "fastapi-differences.md"

WAITING = """
import asyncio
from data_bridge import App

app = App()
seen = []


@app.get("/wait")
async def wait() -> None:
    print("began", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        print("ended", flush=True)
"""


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_1_pages_load_their_scripts_from_the_app(path: str) -> None:
    assert "https://" in TestClient(theirs().FastAPI()).get(path).text
    assert "https://" not in TestClient(App()).get(path).text


def test_2_a_router_of_fastapis_own_is_refused() -> None:
    with pytest.raises(TypeError, match=r"data_bridge\.fastapi\.install"):
        App().include_router(fastapi.APIRouter())  # type: ignore[arg-type]


def test_3_a_title_is_text() -> None:
    assert b"<title><b>" in get_swagger_ui_html(openapi_url="/", title="<b>").body
    assert "<title>&lt;b&gt;" in TestClient(App(title="<b>")).get("/docs").text


@pytest.mark.parametrize(("package", "imported"), [("fastapi", True), ("data_bridge.fastapi", False)])
def test_4_opentelemetry_is_imported_where_it_is_used(package: str, imported: bool) -> None:
    code = (
        f"import sys; from {package} import FastAPI; FastAPI(); assert ('opentelemetry' in sys.modules) is {imported}"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=servers.PATIENCE)


def test_5_exceptions_have_the_name_of_our_module() -> None:
    assert kind_of(ours().HTTPException(404)) == "data_bridge.exceptions.HTTPException"


def test_6_the_test_client_runs_on_asyncio() -> None:
    with pytest.raises(ValueError, match="runs on asyncio, not on 'trio'"):
        TestClient(App(), backend="trio")  # type: ignore[arg-type]


def test_7_a_handler_whose_client_leaves_is_cancelled(tmp_path: Path) -> None:
    (tmp_path / "waiting.py").write_text(WAITING)

    async def leave(url: str, server: servers.Server) -> None:
        async with httpx.AsyncClient() as client:
            request = asyncio.create_task(client.get(f"{url}/wait"))
            await asyncio.to_thread(server.wait_for, "began")
            request.cancel()
            await asyncio.gather(request, return_exceptions=True)

    with servers.data_bridge("waiting:app", app_dir=tmp_path) as server:
        asyncio.run(leave(server.url, server))
        server.wait_for("ended")


def test_each_row_has_a_test() -> None:
    rows = re.findall(r"^\| (\d+) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    tests = {name.split("_")[1] for name in globals() if re.match(r"test_\d", name)}
    assert set(rows) == tests
