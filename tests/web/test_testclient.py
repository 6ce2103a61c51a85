"""The test client behaves as Starlette's, which runs each of these tests too; then what only ours has."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import warnings

import httpx
import pytest

from data_bridge import Loop
from data_bridge.testclient import TestClient, WebSocketDenialResponse
from data_bridge.websockets import WebSocketDisconnect
from tests.web.kits import OURS, STARLETTE

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it prefers httpx2 by now
    from starlette import testclient as starlettes

OURS.TestClient, OURS.Denial = TestClient, WebSocketDenialResponse
STARLETTE.TestClient, STARLETTE.Denial = starlettes.TestClient, starlettes.WebSocketDenialResponse


@pytest.fixture(params=[OURS, STARLETTE], ids=["ours", "starlette"])
def kit(request):
    return request.param


async def scope_app(scope, receive, send):
    """Answer with the scope, as text."""
    shown = {name: scope[name] for name in sorted(scope) if name not in ("app", "router", "state", "asgi")}
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": repr(shown).encode()})


CLIENTS = [
    {},
    {"root_path": "/r", "client": ("c", 1), "headers": {"x-a": "b"}},
    {"base_url": "https://h:99/b/"},
    {"cookies": {"a": "b"}},
]


@pytest.mark.parametrize("options", CLIENTS)
@pytest.mark.parametrize("url", ["/", "/a%20b/%C3%A9?q=%20&q=2", "x", "http://other:81/y"])
def test_the_scope(options, url):
    def scope(kit):
        return kit.TestClient(scope_app, **options).post(url, content=b"x", headers={"X-Two": "2"}).text

    assert scope(OURS) == scope(STARLETTE)


def test_exceptions_are_raised_or_answered(kit):
    async def endpoint(request):
        raise ValueError("broken")

    app = kit.Starlette(routes=[kit.Route("/", endpoint)])
    with pytest.raises(ValueError, match="broken"):
        kit.TestClient(app).get("/")
    response = kit.TestClient(app, raise_server_exceptions=False).get("/")
    assert (response.status_code, response.text) == (500, "Internal Server Error")


def test_an_app_that_answers_nothing(kit):
    async def app(scope, receive, send):
        pass

    with pytest.raises(AssertionError, match=r"TestClient did not receive any response\."):
        kit.TestClient(app).get("/")
    assert kit.TestClient(app, raise_server_exceptions=False).get("/").status_code == 500


@pytest.mark.parametrize(
    "messages",
    [
        ["body"],
        ["start", "start"],
        ["start", "last", "body"],
        ["start", "trailers"],
    ],
)
def test_messages_out_of_order_are_asserted(kit, messages):
    kinds = {
        "start": {"type": "http.response.start", "status": 200, "headers": []},
        "body": {"type": "http.response.body", "body": b"", "more_body": True},
        "last": {"type": "http.response.body", "body": b""},
        "trailers": {"type": "http.response.trailers", "headers": []},
    }

    async def app(scope, receive, send):
        for name in messages:
            await send(dict(kinds[name]))

    with pytest.raises(AssertionError, match="Received"):
        kit.TestClient(app).get("/")


def test_cookies_and_redirects(kit):
    async def login(request):
        response = kit.Response(status_code=303, headers={"location": "/me"})
        response.set_cookie("who", "ann")
        return response

    async def me(request):
        return kit.PlainTextResponse(request.cookies.get("who", "nobody"))

    app = kit.Starlette(routes=[kit.Route("/login", login, methods=["POST"]), kit.Route("/me", me)])
    client = kit.TestClient(app)
    assert client.get("/me").text == "nobody"
    assert client.post("/login").text == "ann"
    assert client.post("/login", follow_redirects=False).status_code == 303
    assert client.get("/me").text == "ann"


def test_bodies_of_requests(kit):
    async def app(scope, receive, send):
        parts = []
        while True:
            message = await receive()
            parts.append(message["body"])
            if not message.get("more_body"):
                break
        last = await receive() if scope["path"] == "/never" else None
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": repr((parts, last)).encode()})

    client = kit.TestClient(app)
    assert client.post("/", content=b"abc").text == "([b'abc'], None)"
    assert client.post("/", json=[1]).text == "([b'[1]'], None)"
    assert client.post("/", data={"a": "é"}).text == "([b'a=%C3%A9'], None)"
    assert client.post("/", content=(piece for piece in [b"a", b"b"])).text == "([b'ab'], None)"
    assert b"filename" in client.post("/", files={"f": ("n.txt", b"content")}).content


def test_bodies_of_answers_are_streamed_and_may_be_left(kit):
    ended = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            for number in range(1000):
                await send({"type": "http.response.body", "body": b"%d," % number, "more_body": True})
        finally:
            ended.append(number)

    with kit.TestClient(app).stream("GET", "/") as response:
        pieces = response.iter_bytes()
        assert [next(pieces), next(pieces)] == [b"0,", b"1,"]
        assert not ended
    assert ended[0] < 10


def test_what_follows_an_answer_is_waited_for(kit):
    order = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x"})
        order.extend([await receive(), await receive()])
        await asyncio.sleep(0.01)
        order.append("background")

    assert kit.TestClient(app).get("/").text == "x"
    assert order[1:] == [{"type": "http.disconnect"}, "background"]


def test_an_exception_after_the_answer_is_raised(kit):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        raise ValueError("late")

    with pytest.raises(ValueError, match="late"):
        kit.TestClient(app).get("/")
    assert kit.TestClient(app, raise_server_exceptions=False).get("/").text == "x"


def test_trailers_and_debug_information(kit):
    async def app(scope, receive, send):
        await send({"type": "http.response.debug", "info": {"template": "t.html", "context": {"a": 1}}})
        await send({"type": "http.response.start", "status": 200, "headers": [], "trailers": True})
        await send({"type": "http.response.body", "body": b"x"})
        await send({"type": "http.response.trailers", "headers": [(b"a", b"1")], "more_trailers": True})
        await send({"type": "http.response.trailers", "headers": [(b"b", b"2")]})

    response = kit.TestClient(app).get("/")
    assert response.extensions["http.response.trailers"] == [(b"a", b"1"), (b"b", b"2")]
    assert (response.template, response.context) == ("t.html", {"a": 1})


def life(kit, **fails):
    order = []

    @contextlib.asynccontextmanager
    async def lifespan(app):
        order.append("startup")
        if "startup" in fails:
            raise fails["startup"]
        yield {"n": 1}
        order.append("shutdown")
        if "shutdown" in fails:
            raise fails["shutdown"]

    async def endpoint(request):
        order.append("request")
        request.state.n += 1
        return kit.PlainTextResponse(str(request.state.n))

    return kit.Starlette(routes=[kit.Route("/", endpoint)], lifespan=lifespan), order


def test_the_lifespan_and_its_state(kit):
    app, order = life(kit)
    with kit.TestClient(app) as client:
        assert [client.get("/").text, client.get("/").text] == ["2", "2"]
    assert order == ["startup", "request", "request", "shutdown"]


@pytest.mark.parametrize("phase", ["startup", "shutdown"])
def test_a_lifespan_that_fails(kit, phase):
    app, _ = life(kit, **{phase: ValueError(f"no {phase}")})
    with pytest.raises(ValueError, match=f"no {phase}"), kit.TestClient(app):
        pass


def test_bare_generators_as_lifespan_are_deprecated(kit):
    order = []

    def lifespan(app):
        order.append("up")
        yield
        order.append("down")

    with pytest.warns(UserWarning, match="^generator function lifespans are deprecated"):
        app = kit.Starlette(lifespan=lifespan)
    with kit.TestClient(app):
        pass
    assert order == ["up", "down"]


def talking(kit):
    async def echo(websocket):
        await websocket.accept(subprotocol="two", headers=[(b"x-a", b"b")])
        try:
            while True:
                data = await websocket.receive_json()
                await websocket.send_json({"echo": data, "path": websocket.url.path})
        except kit.WebSocketDisconnect as left:
            order.append((left.code, left.reason))

    async def closes(websocket):
        await websocket.accept()
        await websocket.send_text("bye")
        await websocket.send_bytes(b"bytes")
        await websocket.close(3000, "reason")

    async def refuses(websocket):
        await websocket.close(4001)

    async def denies(websocket):
        await websocket.send_denial_response(kit.PlainTextResponse("denied", 403, headers={"x-y": "z"}))

    async def breaks(websocket):
        await websocket.accept()
        raise ValueError("broken")

    async def raises(websocket):
        raise kit.WebSocketException(4002, "raised")

    order = []
    endpoints = [echo, closes, refuses, denies, breaks, raises]
    return kit.Starlette(routes=[kit.WebSocketRoute(f"/{e.__name__}", e) for e in endpoints]), order


def test_a_websocket(kit):
    app, order = talking(kit)
    with kit.TestClient(app).websocket_connect("/echo", subprotocols=["one", "two"]) as websocket:
        assert websocket.accepted_subprotocol == "two"
        assert (b"x-a", b"b") in websocket.extra_headers
        websocket.send_json({"a": "é"})
        assert websocket.receive_json() == {"echo": {"a": "é"}, "path": "/echo"}
        websocket.send_text("[1]")
        assert websocket.receive_json()["echo"] == [1]
        websocket.close(4000, "enough")
    assert order == [(4000, "enough")]


def test_a_websocket_that_is_left_sees_it(kit):
    app, order = talking(kit)
    with kit.TestClient(app).websocket_connect("/echo"):
        pass
    assert order == [(1000, "")]


def test_a_websocket_that_the_app_closes(kit):
    app, _ = talking(kit)
    with kit.TestClient(app).websocket_connect("/closes") as websocket:
        assert (websocket.receive_text(), websocket.receive_bytes()) == ("bye", b"bytes")
        with pytest.raises(kit.WebSocketDisconnect) as left:
            websocket.receive_text()
        assert (left.value.code, left.value.reason) == (3000, "reason")


@pytest.mark.parametrize(("path", "code"), [("/refuses", 4001), ("/raises", 4002), ("/none", 1000)])
def test_a_websocket_that_is_refused(kit, path, code):
    app, _ = talking(kit)
    with pytest.raises(kit.WebSocketDisconnect) as left, kit.TestClient(app).websocket_connect(path):
        pass
    assert left.value.code == code


def test_a_websocket_that_is_denied_by_a_response(kit):
    app, _ = talking(kit)
    with pytest.raises(kit.Denial) as denied, kit.TestClient(app).websocket_connect("/denies"):
        pass
    assert (denied.value.status_code, denied.value.text, denied.value.headers["x-y"]) == (403, "denied", "z")


def test_a_websocket_whose_app_breaks_raises_what_it_raised(kit):
    app, _ = talking(kit)
    with pytest.raises(ValueError, match="broken"), kit.TestClient(app).websocket_connect("/breaks") as websocket:
        websocket.receive_text()


def test_class_based_websockets(kit):
    class Endpoint(kit.WebSocketEndpoint):
        encoding = "json"

        async def on_receive(self, websocket, data):
            await websocket.send_text(str(data))

        async def on_disconnect(self, websocket, close_code):
            codes.append(close_code)

    codes = []
    client = kit.TestClient(kit.Starlette(routes=[kit.WebSocketRoute("/", Endpoint)]))
    with client.websocket_connect("/") as websocket:
        websocket.send_bytes(b"[1]")
        assert websocket.receive_text() == "[1]"
    with pytest.raises(RuntimeError, match="Malformed JSON"), client.websocket_connect("/") as websocket:
        websocket.send_text("{")
    assert codes == [1000, 1011]


WHERE = contextvars.ContextVar("WHERE", default="")


def test_the_app_sees_the_tests_context(kit):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": WHERE.get().encode()})

    token = WHERE.set("in the test")
    assert kit.TestClient(app).get("/").text == "in the test"
    WHERE.reset(token)


def test_calls_through_the_portal(kit):
    async def add(a, b):
        await asyncio.sleep(0)
        return a + b

    with kit.TestClient(kit.Starlette()) as client:
        assert client.portal.call(add, 1, 2) == 3
        assert client.portal.start_task_soon(add, 1, 2).result() == 3
        with pytest.raises(TypeError):
            client.portal.call(add, 1, "2")
        with pytest.raises(RuntimeError):
            client.portal.call(lambda: client.portal.call(add, 1, 2))
        waiting = client.portal.start_task_soon(asyncio.sleep, 1000)
        waiting.cancel()
    assert client.portal is None


def test_an_asgi2_app(kit):
    class App:
        def __init__(self, scope):
            pass

        async def __call__(self, receive, send):
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    assert kit.TestClient(App).get("/").status_code == 204


def test_requests_that_were_not_read_end_with_the_context(kit):
    cancelled = []

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(scope["path"])
            raise

    with kit.TestClient(app) as client:
        client.send(client.build_request("GET", "/open"), stream=True)
        assert not cancelled
    assert cancelled == ["/open"]


def test_our_loop_runs_the_app():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": type(asyncio.get_running_loop()).__name__.encode()})

    assert TestClient(app).get("/").text == Loop.__name__
    options = {"loop_factory": asyncio.SelectorEventLoop}
    assert "Selector" in TestClient(app, backend_options=options).get("/").text
    with pytest.raises(ValueError, match="not on 'trio'"):
        TestClient(app, backend="trio")


def test_a_message_that_never_comes_is_an_error_not_a_wait():
    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})

    with TestClient(app).websocket_connect("/") as websocket, pytest.raises(EOFError):
        websocket.receive()


def test_it_is_an_httpx_client():
    assert issubclass(TestClient, httpx.Client)
    assert issubclass(WebSocketDenialResponse, (httpx.Response, WebSocketDisconnect))
