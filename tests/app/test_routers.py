"""Routers in routers, with all that may be said of them, beside FastAPI: answers and documents are equal."""

from typing import Annotated, Any

import fastapi as genuine
import pytest
from pydantic import BaseModel
from starlette.requests import HTTPConnection
from tests.app.twins import answers, assert_same, get, of, post

import data_bridge.fastapi
from data_bridge.testclient import TestClient


class Item(BaseModel):
    name: str


def nested(fastapi):
    app = fastapi.FastAPI(dependencies=[fastapi.Depends(noting("app"))], responses={418: {"description": "tea"}})
    responses = of(fastapi, "responses")
    inner = fastapi.APIRouter(
        prefix="/inner", tags=["inner"], dependencies=[fastapi.Depends(noting("inner"))], responses={404: {}}
    )
    outer = fastapi.APIRouter(
        prefix="/outer", tags=["outer"], default_response_class=responses.PlainTextResponse, deprecated=True
    )
    callbacks = fastapi.APIRouter()

    @callbacks.post("{$request.body.url}/done")
    def done(item: Item) -> Item:
        return item

    @inner.get("/", name="root")
    async def root(request: fastapi.Request) -> Any:
        return {"seen": request.state.seen, "here": str(request.url_for("root")), "path": request.scope["path"]}

    @inner.get("/items/{item_id}", callbacks=callbacks.routes, response_model=Item, status_code=203)
    def item(item_id: int, q: Annotated[list[str], fastapi.Query()] = ["a"]) -> Any:  # noqa: B006
        return {"name": f"{item_id} {q}"}

    @inner.post("/items", operation_id="make", summary="Make", response_description="Made", tags=["own"])
    async def make(item: Item) -> Any:
        """Make one.

        Really.
        """
        return item

    @inner.put("/items", include_in_schema=False)
    async def put() -> str:
        return "put"

    @inner.api_route("/both", methods=["GET", "DELETE"])
    async def both() -> str:
        return "both"

    @inner.websocket("/socket/{name}")
    async def socket(websocket: fastapi.WebSocket, name: str, q: int = 1) -> None:
        await websocket.accept()
        await websocket.send_json([name, q, websocket.url.path])
        await websocket.close()

    @outer.get("/text")
    async def text() -> Any:
        return "text"

    @outer.get("/fails")
    async def fails() -> Any:
        raise fastapi.HTTPException(418, {"short": "stout"}, headers={"x-tea": "yes"})

    async def plain(request: fastapi.Request) -> Any:
        return responses.PlainTextResponse(request.url.path)

    outer.add_route("/plain", plain)
    outer.mount("/mounted", mounted(fastapi))
    outer.include_router(inner)
    outer.include_router(inner, prefix="/again", tags=["again"], include_in_schema=True)
    app.include_router(outer, prefix="/v1", responses={500: {"model": Item}})
    app.include_router(inner, deprecated=False, default_response_class=responses.HTMLResponse)

    @inner.get("/late")
    async def late() -> str:
        return "late"

    return app


def noting(name: str) -> Any:
    # The request's class is one that both packages know by its name.
    async def note(request: HTTPConnection) -> None:
        request.state.seen = [*getattr(request.state, "seen", []), name]

    return note


def mounted(fastapi):
    app = fastapi.FastAPI(openapi_url=None)

    @app.get("/here")
    async def here(request: fastapi.Request) -> Any:
        return [request.scope["root_path"], request.url.path]

    return app


PREFIXES = ["", "/v1/outer", "/v1/outer/again"]
PATHS = ["/inner/", "/inner", "/inner/items/1?q=b", "/inner/items/x", "/inner/both", "/inner/late", "/inner/none"]


@pytest.mark.filterwarnings("ignore:Duplicate Operation ID")
def test_answers_and_documents():
    requests = [get(prefix + path) for prefix in PREFIXES for path in PATHS]
    requests += [post(f"{prefix}/inner/items", json={"name": "a"}) for prefix in PREFIXES]
    requests += [(method, "/inner/both", {}) for method in ("DELETE", "PUT", "HEAD", "OPTIONS")]
    requests += [("PUT", "/inner/items", {}), ("PATCH", "/v1/outer/inner/items", {})]
    requests += [get(f"/v1/outer/{path}") for path in ("text", "fails", "plain", "mounted/here", "mounted/none")]
    assert_same(nested, requests)


def test_names_lead_to_paths():
    found = []
    for package in (data_bridge.fastapi, genuine):
        app = nested(package)
        found.append(
            [
                app.url_path_for("root"),
                app.url_path_for("item", item_id="3"),
                app.url_path_for("socket", name="n"),
            ]
        )
    assert found[0] == found[1]


def test_websockets():
    for prefix in PREFIXES:
        with TestClient(nested(data_bridge.fastapi)).websocket_connect(f"{prefix}/inner/socket/n?q=2") as socket:
            assert socket.receive_json() == ["n", 2, f"{prefix}/inner/socket/n"]


@pytest.mark.parametrize("prefix", ["no-slash", "/slash/"])
def test_prefixes_that_cannot_be(prefix):
    messages = []
    for package in (data_bridge.fastapi, genuine):
        with pytest.raises(AssertionError) as made:
            package.APIRouter(prefix=prefix)
        router = package.APIRouter()
        router.get("/a")(lambda: None)
        with pytest.raises(AssertionError) as included:
            package.FastAPI().include_router(router, prefix=prefix)
        messages.append((str(made.value), str(included.value)))
    assert messages[0] == messages[1]


def test_routers_that_would_include_themselves():
    messages = []
    for package in (data_bridge.fastapi, genuine):
        router, other = package.APIRouter(), package.APIRouter()
        router.include_router(other)
        found = []
        for outer, inner in ((router, router), (other, router)):
            with pytest.raises(AssertionError) as refused:
                outer.include_router(inner)
            found.append(str(refused.value))
        empty = package.APIRouter()
        empty.get("")(lambda: None)
        with pytest.raises(package.exceptions.FastAPIError) as refused:
            package.FastAPI().include_router(empty)
        messages.append([*found, str(refused.value)])
    assert messages[0] == messages[1]


def frontends(folder):
    def build(fastapi):
        app = fastapi.FastAPI()
        router = fastapi.APIRouter(prefix="/admin", dependencies=[fastapi.Depends(noting("admin"))])
        router.frontend("/", directory=folder / "admin", fallback="index.html")
        app.frontend("/", directory=folder, fallback="auto")
        app.frontend("/strict", directory=folder, fallback=None)
        app.include_router(router)

        @app.get("/api/{name}")
        async def api(name: str) -> str:
            return name

        return app

    return build


def test_frontends(tmp_path):
    import os

    (tmp_path / "admin").mkdir()
    for name in ("index.html", "404.html", "app.js", "admin/index.html", "admin/app.css"):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (1_700_000_000, 1_700_000_000))
    paths = ["/", "/app.js", "/none", "/deep/none", "/none.js", "/admin", "/admin/", "/admin/app.css", "/admin/deep"]
    paths += ["/strict/", "/strict/app.js", "/strict/none", "/api/a", "/api/", "/%2e%2e/secret", "/404.html"]
    page = {"accept": "text/html"}
    requests = [get(path, headers=headers) for path in paths for headers in ({}, page)]
    requests += [(method, path, {}) for method in ("HEAD", "POST") for path in ("/app.js", "/none", "/api/a")]
    build = frontends(tmp_path)
    assert_same(build, requests)
    ((*_, fields, _),) = answers(build(data_bridge.fastapi), [get("/app.js")])
    etag = dict(fields)["etag"]
    assert_same(
        build, [get("/app.js", headers={"if-none-match": etag}), get("/app.js", headers={"range": "bytes=0-1"})]
    )


@pytest.mark.parametrize(
    ("path", "options"),
    [("", {}), ("no-slash", {}), ("/a", {"fallback": "other.html"}), ("/a", {"directory": "/none-such"})],
)
def test_frontends_that_cannot_be(path, options, tmp_path):
    messages = []
    for package in (data_bridge.fastapi, genuine):
        with pytest.raises(Exception) as refused:  # noqa: PT011 - which one is compared
            package.FastAPI().frontend(path, **{"directory": tmp_path, "check_dir": True, **options})
        messages.append((isinstance(refused.value, AssertionError), str(refused.value)))
    assert messages[0] == messages[1]
