"""Bounds that apps, routers, routes and dependencies have, beside FastAPI: of bodies, of forms, of calls at once."""

import asyncio
from typing import Annotated, Any

import fastapi as genuine
import pytest
from tests.app.twins import answers, assert_same, get, post

import data_bridge.fastapi

PACKAGES = [data_bridge.fastapi, genuine]


def bodies(fastapi):
    app = fastapi.FastAPI(max_body_size=20)
    router = fastapi.APIRouter(prefix="/router", max_body_size=10)

    async def read(request: fastapi.Request) -> Any:
        return len(await request.body())

    async def take(content: Annotated[dict[str, Any], fastapi.Body()]) -> Any:
        return content

    async def ignore() -> Any:
        return "ignored"

    for where, prefix in ((app, "/app"), (router, "")):
        where.post(f"{prefix}/read")(read)
        where.post(f"{prefix}/take")(take)
        where.post(f"{prefix}/ignore")(ignore)
    router.post("/own", max_body_size=5)(read)
    router.post("/more", max_body_size=1000)(read)
    app.include_router(router)
    app.include_router(router, prefix="/tight", max_body_size=3)
    return app


@pytest.mark.parametrize("length", [0, 2, 4, 8, 15, 21])
def test_bodies(length):
    body = b'"' + b"x" * (length - 2) + b'"' if length else b""
    routes = ["/app/read", "/app/take", "/app/ignore"]
    routes += [f"{prefix}/router/{name}" for prefix in ("", "/tight") for name in ("read", "take", "own", "more")]
    json = {"headers": {"content-type": "application/json"}}
    assert_same(bodies, [post(path, content=body, **json) for path in routes])
    for path in routes:
        unannounced = (body[:3], body[3:])
        (mine,), (its,) = (answers(bodies(package), [post(path, content=iter(unannounced))]) for package in PACKAGES)
        assert mine == its


@pytest.mark.parametrize("bound", [0, -1, True, "9"])
def test_bounds_that_cannot_be(bound):
    messages = []
    for package in PACKAGES:
        found = []
        for make in (package.FastAPI, package.APIRouter, lambda **bound: package.FastAPI().get("/", **bound)(print)):  # noqa: B023
            try:
                make(max_body_size=bound)
                found.append("taken")
            except (AssertionError, ValueError, TypeError) as refused:
                found.append(str(refused))
        messages.append(found)
    assert messages[0] == messages[1]


def limited(fastapi, inside):
    app = fastapi.FastAPI()

    async def coroutine() -> str:
        inside.append(len(inside))
        await asyncio.sleep(0)
        return f"coroutine of {len(inside)}"

    def function() -> str:
        return "function"

    async def generator() -> Any:
        yield "generator"

    def sync_generator() -> Any:
        yield "sync generator"

    @app.get("/")
    async def endpoint(
        a: Annotated[str, fastapi.Depends(coroutine, max_concurrency=1)],
        b: Annotated[str, fastapi.Depends(function, max_concurrency=2)],
        c: Annotated[str, fastapi.Depends(generator, max_concurrency=1)],
        d: Annotated[str, fastapi.Depends(sync_generator, max_concurrency=1, scope="function")],
    ) -> Any:
        return [a, b, c, d]

    return app


def test_dependencies():
    assert_same(lambda fastapi: limited(fastapi, []), [get("/"), get("/")])


@pytest.mark.parametrize("bound", [0, -1, True, "1", 1.0])
def test_bounds_of_dependencies_that_cannot_be(bound):
    messages = []
    for package in PACKAGES:
        with pytest.raises((ValueError, TypeError)) as refused:
            package.Depends(print, max_concurrency=bound)
        messages.append(str(refused.value))
    assert messages[0] == messages[1]


def test_no_more_are_inside_than_may_be():
    app = data_bridge.fastapi.FastAPI()
    inside, most = 0, 0

    async def counted() -> Any:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0)
        yield
        inside -= 1

    @app.get("/", dependencies=[data_bridge.fastapi.Depends(counted, max_concurrency=2)])
    async def endpoint() -> str:
        await asyncio.sleep(0)
        return "done"

    async def ask() -> int:
        messages: list[Any] = []
        scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [], "root_path": ""}

        async def receive() -> Any:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            messages.append(message)

        await app(scope, receive, send)
        return int(messages[0]["status"])

    async def main() -> list[int]:
        return await asyncio.gather(*(ask() for _ in range(10)))

    assert asyncio.run(main()) == [200] * 10
    assert most == 2
