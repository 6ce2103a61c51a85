"""Sessions beside Starlette's: the same cookies, so that users of either stay logged in with the other."""

from __future__ import annotations

import pytest
import starlette.applications
import starlette.middleware
import starlette.middleware.sessions
import starlette.responses

from data_bridge.application import Application
from data_bridge.middleware import Middleware
from data_bridge.middleware.sessions import SessionMiddleware
from data_bridge.responses import JSONResponse
from data_bridge.testclient import TestClient

OPTIONS = [
    {"secret_key": "s"},
    {"secret_key": "s", "session_cookie": "sid", "max_age": None, "path": "/app", "same_site": "strict"},
    {"secret_key": "s", "https_only": True, "domain": "example.org", "max_age": 60},
]


def clients(**options):
    theirs = starlette.applications.Starlette(
        middleware=[starlette.middleware.Middleware(starlette.middleware.sessions.SessionMiddleware, **options)]
    )
    ours = Application(middleware=[Middleware(SessionMiddleware, **options)])
    for app, response in ((ours, JSONResponse), (theirs, starlette.responses.JSONResponse)):

        async def put(request, response=response):
            request.session.update(request.query_params)
            return response(dict(request.session))

        async def look(request, response=response):
            return response(dict(request.session))

        async def drop(request, response=response):
            request.session.clear()
            return response({})

        for name, endpoint in (("/app/put", put), ("/app/look", look), ("/app/drop", drop)):
            app.router.add_route(name, endpoint)
    base = "https://example.org" if options.get("https_only") else "http://testserver"
    return TestClient(ours, base_url=base), TestClient(theirs, base_url=base)


def attributes(answer):
    """The cookie's name and attributes, without its signed value and the second in which it ends."""
    fields = answer.headers.get_list("set-cookie")
    parts = [part.strip().lower() for field in fields for part in field.split(";")]
    return [part.partition("=")[0] if "=" in part and part.startswith(("session", "sid")) else part for part in parts]


@pytest.mark.parametrize("options", OPTIONS)
def test_cookies_are_those_of_starlette(options):
    ours, theirs = clients(**options)
    for path in ("/app/look", "/app/put?a=1&b=%C3%A4", "/app/look", "/app/drop", "/app/look"):
        mine, its = ours.get(path), theirs.get(path)
        assert (mine.json(), attributes(mine), mine.headers.get("vary")) == (
            its.json(),
            attributes(its),
            its.headers.get("vary"),
        )


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("order", [1, -1])
def test_a_session_begun_on_one_goes_on_on_the_other(options, order):
    first, second = clients(**options)[::order]
    name = options.get("session_cookie", "session")
    begun = first.get("/app/put?user=ada").cookies[name]
    assert second.get("/app/look", headers={"cookie": f"{name}={begun}"}).json() == {"user": "ada"}
    forged = ("a" if begun[0] != "a" else "b") + begun[1:]
    assert second.get("/app/look", headers={"cookie": f"{name}={forged}"}).json() == {}


CHANGES = {
    "del": lambda session: session.__delitem__("a"),
    "pop": lambda session: session.pop("a"),
    "pop none": lambda session: session.pop("none", 1),
    "popitem": lambda session: session.popitem(),
    "setdefault": lambda session: session.setdefault("c", 3),
    "setdefault of what is there": lambda session: session.setdefault("a", 3),
    "|=": lambda session: session.__ior__({"d": 4}),
    "clear": lambda session: session.clear(),
    "nothing": lambda session: None,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_each_change_is_kept(change):
    found = []
    for client in clients(secret_key="s"):

        async def changing(request):
            change(request.session)
            return starlette.responses.JSONResponse(dict(request.session))

        client.app.router.add_route("/app/change", changing)
        client.get("/app/put?a=1&b=2")
        changed = client.get("/app/change")
        found.append((changed.json(), attributes(changed), client.get("/app/look").json()))
    assert found[0] == found[1]
