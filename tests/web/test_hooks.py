"""What the App has beside Starlette: functions before and after requests, handlers and middleware of one route."""

from __future__ import annotations

import contextvars

import pytest

from data_bridge import App
from data_bridge.exceptions import HTTPException
from data_bridge.middleware import Middleware
from data_bridge.responses import PlainTextResponse
from data_bridge.testclient import TestClient

SEEN = contextvars.ContextVar("SEEN", default="")


def hooked():
    app = App()

    @app.before_request
    async def first(request):
        SEEN.set("before")
        if "refuse" in request.query_params:
            raise HTTPException(403, "refused")

    @app.before_request
    def second(request):
        return PlainTextResponse("instead") if "instead" in request.query_params else None

    @app.after_request
    async def mark(request, response):
        response.headers["x-after"] = str(response.status_code)

    @app.get("/")
    async def endpoint():
        return SEEN.get()

    return app


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", (200, '"before"', "200")),
        ("/?instead", (200, "instead", "200")),
        ("/none", (404, '{"detail":"Not Found"}', "404")),
        ("/?refuse", (403, '{"detail":"refused"}', None)),
    ],
)
def test_functions_before_and_after_each_request(path, expected):
    response = TestClient(hooked()).get(path)
    assert (response.status_code, response.text, response.headers.get("x-after")) == expected


def test_handlers_of_one_route_come_before_those_of_the_app():
    async def of_app(request, exc):
        return PlainTextResponse("app", 500)

    def of_route(request, exc):
        return PlainTextResponse(f"route {exc!r}", 400)

    async def teapot(request, exc):
        return PlainTextResponse("teapot", 418)

    app = App(exception_handlers={KeyError: of_app})

    async def endpoint(kind: str):
        raise {"key": KeyError("k"), "tea": HTTPException(418), "other": HTTPException(400, "other")}[kind]

    app.get("/plain/{kind}")(endpoint)
    app.get("/own/{kind}", exception_handlers={KeyError: of_route, 418: teapot})(endpoint)
    client = TestClient(app)
    texts = {path: client.get(path).text for path in ("/plain/key", "/own/key", "/own/tea", "/own/other")}
    assert texts == {
        "/plain/key": "app",
        "/own/key": "route KeyError('k')",
        "/own/tea": "teapot",
        "/own/other": '{"detail":"other"}',
    }


def test_middleware_of_one_route():
    class Header:
        def __init__(self, app, value):
            self.app, self.value = app, value

        async def __call__(self, scope, receive, send):
            async def send_with_field(message):
                if message["type"] == "http.response.start":
                    message["headers"].append((b"x-route", self.value))
                await send(message)

            await self.app(scope, receive, send_with_field)

    app = App()

    @app.get("/with", middleware=[Middleware(Header, b"yes")])
    async def with_it():
        return 1

    @app.get("/without")
    async def without():
        return 2

    client = TestClient(app)
    assert client.get("/with").headers["x-route"] == "yes"
    assert "x-route" not in client.get("/without").headers
