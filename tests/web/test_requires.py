"""`requires` beside Starlette's: who may reach an endpoint, and what becomes of the others."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import starlette.applications
import starlette.authentication
import starlette.middleware.authentication
import starlette.responses

from data_bridge import application, authentication
from data_bridge.middleware.authentication import AuthenticationMiddleware
from data_bridge.responses import JSONResponse
from data_bridge.testclient import TestClient
from data_bridge.websockets import WebSocketDisconnect

OURS = SimpleNamespace(
    auth=authentication,
    middleware=AuthenticationMiddleware,
    app=application.Application,
    response=JSONResponse,
)
THEIRS = SimpleNamespace(
    auth=starlette.authentication,
    middleware=starlette.middleware.authentication.AuthenticationMiddleware,
    app=starlette.applications.Starlette,
    response=starlette.responses.JSONResponse,
)


def guarded(kit):
    auth = kit.auth

    class Backend(auth.AuthenticationBackend):
        async def authenticate(self, conn):
            given = conn.headers.get("authorization")
            if given == "wrong":
                raise auth.AuthenticationError("no such user")
            return None if given is None else (auth.AuthCredentials(given.split()), auth.SimpleUser("ada"))

    app = kit.app()
    app.add_middleware(kit.middleware, backend=Backend())

    @auth.requires("reader")
    async def read(request):
        user = request.user
        return kit.response([user.display_name, user.is_authenticated, request.auth.scopes])

    @auth.requires(["reader", "writer"], status_code=404)
    def write(request):
        return kit.response("written")

    @auth.requires("reader", redirect="login")
    async def page(request):
        return kit.response("page")

    async def login(request):
        return kit.response([request.user.is_authenticated, request.user.display_name])

    @auth.requires("reader")
    async def socket(websocket):
        await websocket.accept()
        await websocket.send_text("hello")
        await websocket.close()

    for endpoint in (read, write, page, login):
        app.router.add_route(f"/{endpoint.__name__}", endpoint)
    app.router.add_websocket_route("/socket", socket)
    return TestClient(app, follow_redirects=False)


@pytest.mark.parametrize("given", [None, "reader", "reader writer", "writer", "wrong"])
def test_answers(given):
    headers = {} if given is None else {"authorization": given}
    found = []
    for kit in (OURS, THEIRS):
        answers = [guarded(kit).get(path, headers=headers) for path in ("/read", "/write", "/page?a=1", "/login")]
        found.append([(answer.status_code, answer.text, answer.headers.get("location")) for answer in answers])
    assert found[0] == found[1]


@pytest.mark.parametrize("kit", [OURS, THEIRS], ids=["ours", "theirs"])
def test_websockets(kit):
    with guarded(kit).websocket_connect("/socket", headers={"authorization": "reader"}) as socket:
        assert socket.receive_text() == "hello"
    with pytest.raises(WebSocketDisconnect), guarded(kit).websocket_connect("/socket"):
        pass


def test_what_cannot_be_guarded():
    found = []
    for kit in (OURS, THEIRS):
        with pytest.raises(Exception, match='No "request" or "websocket" argument') as refused:
            kit.auth.requires("reader")(abs)
        endpoint = kit.auth.requires("reader")(lambda request: None)
        with pytest.raises(AssertionError) as wrong:
            endpoint("no request")
        found.append((str(refused.value), str(wrong.value)))
    assert found[0][0].partition("<")[0] == found[1][0].partition("<")[0]


@pytest.mark.parametrize("name", ["is_authenticated", "display_name", "identity"])
def test_a_user_is_to_be_subclassed(name):
    for auth in (authentication, starlette.authentication):
        with pytest.raises(NotImplementedError):
            getattr(auth.BaseUser(), name)
    if name != "identity":
        ours, theirs = authentication.UnauthenticatedUser(), starlette.authentication.UnauthenticatedUser()
        assert getattr(ours, name) == getattr(theirs, name)
