"""Routing: tables of routes, mounts and hosts built of ours and of Starlette, asked the same, answer the same."""

from __future__ import annotations

import random
import uuid

import pytest

from data_bridge.routing import compile_path
from data_bridge.testclient import TestClient
from tests.web.kits import OURS, STARLETTE, alike


def echo(kit, label):
    """An endpoint that says which one it is and what it was given."""

    async def endpoint(request):
        seen = {name: repr(value) for name, value in sorted(request.path_params.items())}
        where = {"root": request.scope.get("root_path", ""), "method": request.method}
        return kit.JSONResponse({"endpoint": label, **where, **seen})

    endpoint.__name__ = label
    return endpoint


def table(kit):
    r = kit.Route
    return [
        r("/", echo(kit, "home")),
        r("/users", echo(kit, "users"), methods=["GET", "POST"]),
        r("/users/me", echo(kit, "me")),
        r("/users/{name}", echo(kit, "user")),
        r("/users/{name}", echo(kit, "change"), methods=["PUT"]),
        r("/ints/{n:int}", echo(kit, "int")),
        r("/ints/{n}", echo(kit, "not_int")),
        r("/floats/{n:float}", echo(kit, "float")),
        r("/uuids/{u:uuid}", echo(kit, "uuid")),
        r("/files/{rest:path}", echo(kit, "file")),
        r("/with.dot+{x}/end", echo(kit, "dot")),
        r("/slash/", echo(kit, "slash")),
        kit.Mount("/api", routes=[r("/items/{id:int}", echo(kit, "item"), name="item"), r("/", echo(kit, "api"))]),
        kit.Mount("/{tenant}/deep", routes=[kit.Mount("/er", routes=[r("/{leaf}", echo(kit, "leaf"))])]),
    ]


PATHS = [
    "/", "//", "/users", "/users/", "/users/me", "/users/me/", "/users/a%20b", "/users/a%2Fb", "/users/é", "/users/a/b",
    "/ints/1", "/ints/007", "/ints/-1", "/ints/x", "/ints/1/", "/floats/1", "/floats/1.5", "/floats/.5", "/floats/1e3",
    f"/uuids/{uuid.UUID(int=1)}", f"/uuids/{uuid.UUID(int=1).hex}", "/uuids/1", "/files/", "/files", "/files/a/b.txt",
    "/files//x", "/with.dot+1/end", "/withxdot+1/end", "/slash", "/slash/", "/slash//", "/api", "/api/", "/api/items/1",
    "/api/items/x", "/api/items/1/", "/apis", "/t/deep/er/leaf", "/t/deep/er", "/t/deep/er/", "/t/deep", "/nothing",
    "/users?x=1", "/slash?x=1", "/users/me/?x=%20",
]  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "OPTIONS"])
def test_a_table_answers_as_starlette_does(method):
    requests = [(method, path) for path in PATHS]
    alike(lambda kit: kit.Starlette(routes=table(kit)), *requests)
    alike(lambda kit: kit.Router(routes=table(kit), redirect_slashes=False), *requests)
    alike(lambda kit: kit.Starlette(routes=table(kit)), *requests, root_path="/root")


def test_the_first_full_match_wins_and_the_first_partial_one_answers_405():
    answers = alike(
        lambda kit: kit.Starlette(routes=table(kit)), ("GET", "/users/me"), ("PUT", "/users/me"), ("PATCH", "/users/me")
    )
    assert [status for status, _, _ in answers] == [200, 200, 405]
    assert b'"change"' in answers[1][2]


def random_table(kit, rng):
    """Routes and mounts of few words, so that they overlap."""
    segments = ["a", "b", "{x}", "{x:int}", "{x:path}", "a.b"]
    routes = []
    for number in range(rng.randrange(1, 7)):
        path = "/" + "/".join(rng.choice(segments[: 4 + rng.randrange(3)]) for _ in range(rng.randrange(1, 3)))
        if path.count("{x") > 1:
            path = path.replace("{x", "{y", 1)
        path += rng.choice(["", "", "/"])
        methods = rng.choice([None, ["GET"], ["POST"], ["GET", "PUT"]])
        if rng.random() < 0.25:
            inner = [kit.Route(rng.choice(["/", "/a", "/{z}"]), echo(kit, f"inner{number}"), methods=methods)]
            routes.append(kit.Mount(path, routes=inner))
        else:
            routes.append(kit.Route(path, echo(kit, f"route{number}"), methods=methods))
    return routes


@pytest.mark.parametrize("seed", range(25))
def test_random_tables_answer_as_starlette_does(seed):
    rng = random.Random(seed)
    words = ["a", "b", "1", "a.b", "a%2Fb", "", "x y"]
    paths = ["/" + "/".join(rng.choice(words) for _ in range(rng.randrange(1, 4))) for _ in range(25)]
    requests = [(rng.choice(["GET", "POST", "HEAD", "DELETE"]), path) for path in paths]
    alike(lambda kit: kit.Starlette(routes=random_table(kit, random.Random(seed))), *requests)


def test_hosts():
    def build(kit):
        inner = kit.Router([kit.Route("/", echo(kit, "tenant"))])
        plain = kit.Router([kit.Route("/", echo(kit, "plain"))])
        return kit.Starlette(routes=[kit.Host("{sub}.example.org", inner, name="sub"), kit.Host("[::1]:80", plain)])

    hosts = ["a.example.org", "A.Example.ORG:8000", "example.org", "x.y.example.org", "[::1]", "[::1]:90"]
    hosts += ["bad host", "a.example.org/"]
    answers = alike(build, *(("GET", "/", {"headers": {"host": host}}) for host in hosts))
    assert [status for status, _, _ in answers] == [200, 200, 404, 200, 200, 200, 404, 404]


URLS = [
    ("home", {}), ("user", {"name": "a"}), ("user", {"name": "a", "more": 1}), ("user", {}), ("int", {"n": 3}),
    ("float", {"n": 0.1}), ("float", {"n": 1e21}), ("uuid", {"u": uuid.UUID(int=5)}), ("file", {"rest": "a/b"}),
    ("api:item", {"id": 4}), ("api", {"path": "/x/y"}), ("api", {"path": "x"}), ("static:x", {}), ("nothing", {}),
    ("leaf", {"tenant": "t", "leaf": "l"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "params"), URLS)
def test_urls_are_those_of_starlette(name, params):
    def url(kit):
        routes = table(kit)
        routes[12].name = "api"
        try:
            path = kit.Starlette(routes=routes).url_path_for(name, **params)
        except kit.NoMatchFound as error:
            return str(error)
        return str(path), path.protocol, path.host

    assert url(OURS) == url(STARLETTE)


NO_VALUES = [("user", "a/b"), ("user", ""), ("int", -1), ("float", float("nan")), ("float", -1.0)]


@pytest.mark.parametrize(("name", "value"), NO_VALUES)
def test_what_has_no_path_is_refused(name, value):
    errors = []
    for kit in (OURS, STARLETTE):
        key = "name" if name == "user" else "n"
        with pytest.raises(AssertionError) as raised:
            kit.Starlette(routes=table(kit)).url_path_for(name, **{key: value})
        errors.append(str(raised.value).splitlines()[0])
    assert errors[0] == errors[1]


def test_url_for_knows_mounts_hosts_and_websockets():
    def build(kit):
        async def urls(request):
            names = [("here", {}), ("m:here", {}), ("m", {"path": "f.txt"}), ("h:x", {"sub": "s"}), ("ws", {"n": 1})]
            return kit.JSONResponse([str(request.url_for(name, **params)) for name, params in names])

        inner = [kit.Route("/here/", urls, name="here")]
        return kit.Starlette(
            routes=[
                kit.Route("/here", urls, name="here"),
                kit.Mount("/mounted", routes=inner, name="m"),
                kit.Host("{sub}.example.org", kit.Router([kit.Route("/x", urls, name="x")]), name="h"),
                kit.WebSocketRoute("/ws/{n:int}", urls, name="ws"),
            ]
        )

    requests = [("GET", "/here"), ("GET", "/mounted/here/"), ("GET", "https://other:444/here")]
    assert [status for status, _, _ in alike(build, *requests)] == [200] * 3
    alike(build, *requests, root_path="/proxy")


@pytest.mark.parametrize("path", ["/{a}/{a}", "/{a}/{b}/{a}/{b}", "/{a:nothing}", "no-slash"])
def test_paths_that_cannot_be_are_refused_in_the_same_words(path):
    def error(kit):
        try:
            kit.Route(path, echo(kit, "x"))
        except (AssertionError, ValueError) as raised:
            return type(raised), str(raised).splitlines()[0]
        return None

    assert error(OURS) == error(STARLETTE) is not None


def test_a_convertor_of_ones_own():
    class Reversed(OURS.Convertor):
        regex = "[a-z]+"

        def convert(self, value):
            return value[::-1]

        def to_string(self, value):
            return value[::-1]

    OURS.register_url_convertor("reversed", Reversed())
    app = OURS.Starlette(routes=[OURS.Route("/{word:reversed}", echo(OURS, "word"))])
    assert TestClient(app).get("/abc").json()["word"] == "'cba'"
    assert app.url_path_for("word", word="cba") == "/abc"


def test_equality_and_text():
    for kit in (OURS, STARLETTE):
        endpoint = echo(kit, "e")
        assert kit.Route("/x", endpoint) == kit.Route("/x", endpoint)
        assert kit.Route("/x", endpoint) != kit.Route("/x", endpoint, methods=["PUT"])
        assert kit.Mount("/x", kit.Router()) == kit.Mount("/x/", kit.Router())
    for name, target in (("Route", str), ("WebSocketRoute", str), ("Mount", print)):
        assert repr(getattr(OURS, name)("/x", target)) == repr(getattr(STARLETTE, name)("/x", target))


def test_routes_of_starlette_work_among_ours():
    routes = [
        STARLETTE.Route("/theirs/{n:int}", echo(STARLETTE, "theirs"), methods=["GET"], name="theirs"),
        STARLETTE.Mount("/sub", routes=[STARLETTE.Route("/x", echo(STARLETTE, "x"), name="x")], name="sub"),
        OURS.Route("/ours", echo(OURS, "ours")),
    ]
    app = OURS.Starlette(routes=routes)
    client = TestClient(app)
    assert client.get("/theirs/3").json()["n"] == "3"
    assert client.post("/theirs/3").status_code == 405
    assert client.get("/ours").json()["endpoint"] == "ours"
    assert client.get("/sub/x").json()["root"] == "/sub"
    assert (app.url_path_for("theirs", n=1), app.url_path_for("sub:x")) == ("/theirs/1", "/sub/x")
    assert app.url_path_for("ours") == "/ours"


def test_a_pattern_has_the_parameters_of_its_path():
    regex, shape, convertors = compile_path("/a.b/{x:int}/{y}")
    assert (shape, sorted(convertors)) == ("/a.b/{x}/{y}", ["x", "y"])
    assert regex.match("/a.b/1/z")
    assert not regex.match("/aXb/1/z")
