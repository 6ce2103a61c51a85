"""Middleware: the classes that apps declare, ours and Starlette's, give equal answers; ours lack Starlette's faults."""

from __future__ import annotations

import asyncio
import contextvars
import gzip
import itertools
import sys

import brotli
import pytest

from data_bridge.middleware import Middleware
from data_bridge.middleware.base import BaseMiddleware
from data_bridge.middleware.compression import CompressionMiddleware, choose
from data_bridge.middleware.errors import ServerErrorMiddleware
from data_bridge.middleware.sessions import SessionMiddleware
from data_bridge.middleware.wsgi import WSGIMiddleware
from data_bridge.testclient import TestClient
from tests.web.kits import OURS, STARLETTE, alike

ORIGIN = "https://example.org"


def app_with(*middleware, endpoints=()):
    """Build an app of a kit with middleware named by the kit's name of the class."""

    def build(kit):
        async def hello(request):
            return kit.PlainTextResponse("hello " * 100, headers={"vary": "Accept"})

        async def post(request):
            return kit.PlainTextResponse(str(len(await request.body())))

        async def fails(request):
            raise kit.HTTPException(418, "teapot", headers={"x-tea": "green"})

        async def breaks(request):
            raise ValueError("broken")

        async def stream(request):
            async def pieces():
                for number in range(5):
                    yield f"{number}," * 200

            return kit.StreamingResponse(pieces(), media_type="text/csv")

        routes = [
            kit.Route("/", hello),
            kit.Route("/post", post, methods=["POST"]),
            kit.Route("/fails", fails),
            kit.Route("/breaks", breaks),
            kit.Route("/stream", stream),
            *(kit.Route(path, make(kit)) for path, make in endpoints),
        ]
        declared = [kit.Middleware(getattr(kit, name), **options) for name, options in middleware]
        return kit.Starlette(routes=routes, middleware=declared)

    return build


CORS = [
    {},
    {"allow_origins": ["*"]},
    {"allow_origins": ["*"], "allow_credentials": True, "allow_methods": ["*"], "allow_headers": ["*"]},
    {"allow_origins": [ORIGIN], "allow_headers": ["X-One", "x-two"], "expose_headers": ["X-Three", "X-Four"]},
    {"allow_origin_regex": r"https://.*\.org", "allow_credentials": True, "allow_methods": ["POST"], "max_age": 5},
    {"allow_origins": [ORIGIN], "allow_private_network": True},
]


@pytest.mark.parametrize("options", CORS)
def test_cors(options):
    origins = [None, ORIGIN, "https://other.com", "https://x.org"]
    requests = []
    asks = itertools.product(origins, ["GET", "POST"], [None, "x-one, X-Two", "x-no"], [False, True])
    for origin, method, asked, private in asks:
        fields = {
            "origin": origin,
            "access-control-request-method": method,
            "access-control-request-headers": asked,
            "access-control-request-private-network": "true" if private else None,
        }
        requests.append(("OPTIONS", "/", {"headers": {name: value for name, value in fields.items() if value}}))
    requests += [
        (method, path, {"headers": {"origin": origin} if origin else {}})
        for origin in origins
        for method, path in [("GET", "/"), ("OPTIONS", "/"), ("GET", "/fails"), ("GET", "/breaks"), ("GET", "/none")]
    ]
    alike(app_with(("CORSMiddleware", options)), *requests)


@pytest.mark.parametrize("hosts", [None, ["*"], ["example.org", "*.example.org"], ["www.example.org"], ["[::1]"]])
def test_trusted_hosts(hosts):
    names = ["example.org", "EXAMPLE.org:80", "a.example.org", "www.example.org", "other", "a b", "", "[::1]:8", "[zz]"]
    requests = [("GET", "/?q=1", {"headers": {"host": name}}) for name in names]
    alike(app_with(("TrustedHostMiddleware", {"allowed_hosts": hosts})), *requests)
    alike(app_with(("TrustedHostMiddleware", {"allowed_hosts": hosts, "www_redirect": False})), *requests)


def test_https_redirect():
    urls = ["http://a/", "http://a:80/x?y=1", "http://a:8000/x", "https://a/", "http://a:443/", "http://[::1]:80/x"]
    alike(app_with(("HTTPSRedirectMiddleware", {})), *(("GET", url) for url in urls))


@pytest.mark.parametrize("pattern", ["*example.org", "a.*.org", "*.*"])
def test_host_patterns_that_cannot_be(pattern):
    for kit in (OURS, STARLETTE):
        with pytest.raises(AssertionError, match="Domain wildcard patterns"):
            kit.TrustedHostMiddleware(None, allowed_hosts=[pattern])


def typed(media_type, size, **headers):
    def make(kit):
        async def endpoint(request):
            return kit.Response(b"x" * size, media_type=media_type, headers=headers)

        return endpoint

    return make


def test_gzip():
    endpoints = [
        ("/small", typed("text/plain", 499)),
        ("/enough", typed("text/plain", 500)),
        ("/png", typed("image/png", 5000)),
        ("/audio", typed("audio/anything", 5000)),
        ("/grpc", typed("application/grpc+proto", 5000)),
        ("/encoded", typed("text/plain", 5000, **{"content-encoding": "text"})),
        ("/large", typed("text/plain; charset=x", 300_000)),
        ("/partial", lambda kit: lambda request: kit.Response(b"y" * 900, 206)),
    ]
    paths = ["/", "/stream", "/fails", "/none", *(path for path, _ in endpoints)]
    accepts = [None, "gzip", "identity", "br, gzip;q=0.5"]
    requests = [
        (method, path, {"headers": {"accept-encoding": accept} if accept else {"accept-encoding": ""}})
        for path in paths
        for accept in accepts
        for method in ("GET", "HEAD")
    ]
    alike(app_with(("GZipMiddleware", {}), endpoints=endpoints), *requests)
    alike(app_with(("GZipMiddleware", {"minimum_size": 0, "compresslevel": 1}), endpoints=endpoints), *requests)


def test_body_limits():
    def build(kit):
        app = app_with(("RequestBodyLimitMiddleware", {"max_body_size": 10}))(kit)
        app.router.routes[1:1] = [kit.Route("/own", app.router.routes[1].endpoint, methods=["POST"], max_body_size=20)]
        return app

    bodies = [b"", b"x" * 10, b"x" * 11, b"x" * 20, b"x" * 21, iter([b"x" * 6, b"x" * 6])]
    for path in ("/post", "/own", "/"):
        alike(build, *(("POST", path, {"content": body}) for body in bodies[:-1]))
    for kit in (OURS, STARLETTE):
        streamed = TestClient(build(kit)).post("/post", content=(piece for piece in [b"x" * 6, b"x" * 6]))
        assert (streamed.status_code, streamed.text) == (413, "Content Too Large")


def test_authentication():
    def build(kit):
        class Backend(kit.AuthenticationBackend):
            async def authenticate(self, conn):
                name = conn.headers.get("x-user")
                if name == "bad":
                    raise kit.AuthenticationError("who?")
                return None if name is None else (kit.AuthCredentials(["read"]), kit.SimpleUser(name))

        async def me(request):
            return kit.JSONResponse([request.user.is_authenticated, request.user.display_name, request.auth.scopes])

        @kit.requires("read")
        async def read(request):
            return kit.PlainTextResponse("read")

        @kit.requires(["read", "write"], redirect="me")
        def write(request):
            return kit.PlainTextResponse("write")

        routes = [kit.Route("/me", me, name="me"), kit.Route("/read", read), kit.Route("/write", write)]
        return kit.Starlette(
            routes=routes, middleware=[kit.Middleware(kit.AuthenticationMiddleware, backend=Backend())]
        )

    users = [{}, {"x-user": "ann"}, {"x-user": "bad"}]
    alike(build, *(("GET", path, {"headers": user}) for path in ("/me", "/read", "/write?a=b") for user in users))


def test_class_endpoints():
    def build(kit):
        class Endpoint(kit.HTTPEndpoint):
            async def get(self, request):
                return kit.PlainTextResponse("got")

            def post(self, request):
                return kit.PlainTextResponse("posted")

        return kit.Starlette(routes=[kit.Route("/", Endpoint), kit.Mount("/raw", Endpoint)])

    methods = ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "DISPATCH"]
    alike(build, *((method, path) for method in methods for path in ("/", "/raw/")))


def test_sessions_survive_and_forged_ones_do_not():
    app = OURS.Starlette(middleware=[Middleware(SessionMiddleware, secret_key="s", https_only=False)])

    async def count(request):
        request.session["count"] = request.session.get("count", 0) + 1
        return OURS.JSONResponse(request.session)

    async def clear(request):
        request.session.clear()
        return OURS.PlainTextResponse("")

    async def look(request):
        return OURS.JSONResponse(dict(request.session))

    for path, endpoint in (("/count", count), ("/clear", clear), ("/look", look)):
        app.add_route(path, endpoint)
    client = TestClient(app)
    assert [client.get("/count").json()["count"] for _ in range(3)] == [1, 2, 3]
    looked = client.get("/look")
    assert (looked.json(), looked.headers["vary"], "set-cookie" in looked.headers) == ({"count": 3}, "Cookie", False)
    kept = client.cookies["session"]
    client.cookies.set("session", ("a" if kept[0] != "a" else "b") + kept[1:], domain="testserver.local")
    assert client.get("/look").json() == {}
    client.cookies.clear()
    client.cookies.set("session", kept)
    assert "expires=Thu, 01 Jan 1970" in client.get("/clear").headers["set-cookie"]


def unzstd(data):
    if sys.version_info >= (3, 14):
        from compression import zstd

        return zstd.decompress(data)
    import zstandard

    return zstandard.ZstdDecompressor().decompressobj().decompress(data)


DECODERS = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": unzstd,
}


@pytest.mark.parametrize("path", ["/", "/stream"])
@pytest.mark.parametrize(
    ("accept", "encoding"),
    [("gzip, br, zstd", "zstd"), ("gzip, br", "br"), ("gzip", "gzip"), ("br;q=0.1, gzip", "gzip"), ("*", "zstd")],
)
def test_the_best_encoding_is_used(accept, encoding, path):
    def plain(kit):
        return app_with()(kit)

    app = plain(OURS)
    app.add_middleware(CompressionMiddleware)
    with TestClient(app) as client, client.stream("GET", path, headers={"accept-encoding": accept}) as response:
        assert response.headers["content-encoding"] == encoding
        assert DECODERS[encoding](b"".join(response.iter_raw())) == TestClient(plain(OURS)).get(path).content


def test_no_encoding_that_the_client_does_not_take():
    assert choose("identity", ("zstd", "gzip")) is None
    assert choose("", ("zstd",)) is None
    assert choose("gzip;q=0, *;q=0", ("gzip",)) is None
    assert choose("gzip;q=x", ("gzip",)) is None
    with pytest.raises(ValueError, match="no compression is called 'lzma'"):
        CompressionMiddleware(None, encodings=["lzma"])


SEEN = contextvars.ContextVar("SEEN", default="nothing")


def test_context_variables_pass_a_dispatching_middleware_in_both_directions():
    seen = []

    async def dispatch(request, call_next):
        SEEN.set("above")
        response = await call_next(request)
        seen.append(SEEN.get())
        return response

    async def endpoint(request):
        seen.append(SEEN.get())
        SEEN.set("below")
        return OURS.PlainTextResponse("")

    app = OURS.Starlette(
        routes=[OURS.Route("/", endpoint)], middleware=[OURS.Middleware(OURS.BaseHTTPMiddleware, dispatch=dispatch)]
    )
    TestClient(app).get("/")
    assert seen == ["above", "below"]


def dispatching(dispatch, endpoint, *, depth=1, methods=("GET", "POST")):
    def build(kit):
        async def call(request):
            return await endpoint(kit, request)

        async def around(request, call_next):
            return await dispatch(kit, request, call_next)

        middleware = [kit.Middleware(kit.BaseHTTPMiddleware, dispatch=around)] * depth
        return kit.Starlette(routes=[kit.Route("/", call, methods=list(methods))], middleware=middleware)

    return build


async def text(kit, request):
    return kit.PlainTextResponse(b"body: " + await request.body())


async def adds_field(kit, request, call_next):
    response = await call_next(request)
    response.headers["x-added"] = "yes"
    return response


async def reads_body(kit, request, call_next):
    body = await request.body()
    response = await call_next(request)
    response.headers["x-length"] = str(len(body))
    return response


async def streams_body(kit, request, call_next):
    length = sum([len(piece) async for piece in request.stream()])
    response = await call_next(request)
    response.headers["x-length"] = str(length)
    return response


async def answers(kit, request, call_next):
    return kit.PlainTextResponse("instead", 203)


async def answers_after(kit, request, call_next):
    await call_next(request)
    return kit.PlainTextResponse("instead", 203)


async def catches(kit, request, call_next):
    try:
        return await call_next(request)
    except ValueError as error:
        return kit.PlainTextResponse(f"caught {error}", 500)


async def breaks(kit, request):
    raise ValueError("broken")


async def refuses(kit, request):
    raise kit.HTTPException(403, "no")


async def streams(kit, request):
    async def pieces():
        for number in range(3):
            yield str(number)

    return kit.StreamingResponse(pieces())


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("endpoint", [text, streams, refuses, breaks])
@pytest.mark.parametrize("dispatch", [adds_field, reads_body, streams_body, answers, answers_after, catches])
def test_dispatching_middleware(dispatch, endpoint, depth):
    requests = [("GET", "/"), ("HEAD", "/"), ("POST", "/", {"content": b"x" * 70_000}), ("GET", "/none")]
    alike(dispatching(dispatch, endpoint, depth=depth), *requests)


def test_a_body_that_breaks_off_is_not_completed_by_the_middleware():
    async def breaks_off(kit, request):
        async def pieces():
            yield "begun"
            raise ValueError("broken")

        return kit.StreamingResponse(pieces())

    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b""}

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    scope["asgi"] = {"spec_version": "2.4"}
    app = dispatching(adds_field, breaks_off)(OURS)
    with pytest.raises(ValueError, match="broken"):
        asyncio.run(app(scope, receive, send))
    assert [message.get("body") for message in sent] == [None, b"begun"]


def test_what_follows_in_the_background_is_waited_for_and_answers_first():
    order = []

    async def work():
        order.append("work")

    async def endpoint(kit, request):
        return kit.PlainTextResponse("done", background=kit.BackgroundTask(work))

    async def dispatch(kit, request, call_next):
        response = await call_next(request)
        order.append("answered")
        return response

    TestClient(dispatching(dispatch, endpoint)(OURS)).get("/")
    assert order == ["answered", "work"]


class Stamp(BaseMiddleware):
    """Says what it saw."""

    async def process_request(self, request):
        if request.headers.get("x-refuse"):
            return OURS.PlainTextResponse("refused", 403)
        SEEN.set(await request.body())
        return None

    def process_response(self, request, response):
        response.headers["x-status"] = str(response.status_code)
        if request.headers.get("x-replace"):
            return OURS.PlainTextResponse("replaced", 202)
        if request.headers.get("x-status"):
            response.status_code = 299
        return None


def test_base_middleware():
    async def endpoint(request):
        return OURS.PlainTextResponse(SEEN.get() + await request.body())

    app = OURS.Starlette(routes=[OURS.Route("/", endpoint, methods=["POST"])], middleware=[Middleware(Stamp)])
    client = TestClient(app)

    def post(**headers):
        response = client.post("/", content=b"ab", headers={f"x-{name}": value for name, value in headers.items()})
        return response.status_code, response.text, response.headers.get("x-status")

    assert post() == (200, "abab", "200")
    assert post(refuse="1") == (403, "refused", "403")
    assert post(replace="1") == (202, "replaced", None)
    assert post(status="1") == (299, "abab", "200")


def test_the_order_of_middleware_and_handlers():
    order = []

    class Notes:
        def __init__(self, app, name):
            self.app, self.name = app, name

        async def __call__(self, scope, receive, send):
            order.append(self.name)
            await self.app(scope, receive, send)

    async def handle(request, exc):
        order.append("handler")
        return OURS.PlainTextResponse("handled")

    async def endpoint(request):
        raise KeyError

    inner = OURS.Route("/", endpoint, middleware=[Middleware(Notes, "route")])
    router = OURS.Router([inner], middleware=[Middleware(Notes, "router")])
    app = OURS.Starlette(routes=[OURS.Mount("/m", router, middleware=[Middleware(Notes, "mount")])])
    app.add_middleware(Notes, "first added")
    app.add_middleware(Notes, name="last added")
    app.add_exception_handler(LookupError, handle)
    assert TestClient(app).get("/m/").text == "handled"
    assert order == ["last added", "first added", "mount", "router", "route", "handler"]
    with pytest.raises(RuntimeError, match="after an application has started"):
        app.add_middleware(Notes, "late")


def handlers(kit):
    async def by_status(request, exc):
        return kit.PlainTextResponse(f"status {exc.status_code}", exc.status_code)

    def by_class(request, exc):
        return kit.PlainTextResponse(f"class {exc!r}", 500)

    async def endpoint(request):
        raise {"a": KeyError("a"), "b": IndexError("b"), "c": kit.HTTPException(404), "d": ZeroDivisionError("d")}[
            request.path_params["which"]
        ]

    async def late(request):
        async def pieces():
            yield "x"
            raise KeyError("late")

        return kit.StreamingResponse(pieces())

    return kit.Starlette(
        routes=[kit.Route("/{which}", endpoint), kit.Route("/late/x", late)],
        exception_handlers={404: by_status, LookupError: by_class, IndexError: by_status, 500: by_class},
    )


def test_exception_handlers_by_class_and_status():
    alike(handlers, *(("GET", path) for path in ("/a", "/c", "/d", "/none/none")))
    for kit in (OURS, STARLETTE):
        with pytest.raises(RuntimeError, match=r"Caught handled exception, but response already started\."):
            TestClient(handlers(kit)).get("/late/x")


@pytest.mark.parametrize("raised", [OURS.HTTPException, STARLETTE.HTTPException])
@pytest.mark.parametrize("registered", [OURS.HTTPException, STARLETTE.HTTPException])
def test_starlettes_exceptions_are_handled_as_ours(raised, registered):
    async def endpoint(request):
        raise raised(409, "conflict")

    async def handler(request, exc):
        return OURS.PlainTextResponse(f"{exc.status_code} {exc.detail}")

    plain = OURS.Starlette(routes=[OURS.Route("/", endpoint)])
    assert TestClient(plain).get("/").status_code == 409
    handled = OURS.Starlette(routes=[OURS.Route("/", endpoint)], exception_handlers={registered: handler})
    assert TestClient(handled).get("/").text == "409 conflict"
    assert TestClient(handled).get("/none").text == "404 Not Found"


def test_the_debug_page_shows_the_code_and_escapes_what_users_sent():
    async def breaks(scope, receive, send):
        raise ValueError("<script>alert(1)</script>")

    client = TestClient(ServerErrorMiddleware(breaks, debug=True), raise_server_exceptions=False)
    page = client.get("/", headers={"accept": "text/html"})
    assert page.status_code == 500
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "raise ValueError(&quot;&lt;script&gt;alert(1)" in page.text
    assert "<script>" not in page.text
    assert "ValueError: <script>" in client.get("/").text


def test_middleware_classes_of_starlette_are_known():
    declared = [STARLETTE.Middleware(STARLETTE.CORSMiddleware, allow_origins=["*"])]
    app = OURS.Starlette(routes=[OURS.Route("/", lambda request: OURS.PlainTextResponse("x"))], middleware=declared)
    app.add_middleware(STARLETTE.GZipMiddleware)
    app.add_middleware(STARLETTE.BaseHTTPMiddleware, dispatch=lambda request, call_next: call_next(request))
    assert TestClient(app).get("/", headers={"origin": ORIGIN}).headers["access-control-allow-origin"] == "*"


def wsgi(environ, start_response):
    if environ["PATH_INFO"] == "/breaks":
        raise ValueError("broken")
    write = start_response("201 Created", [("Content-Type", "text/plain"), ("X-Root", environ["SCRIPT_NAME"])])
    write(b"written,")
    yield environ["REQUEST_METHOD"].encode()
    yield b"," + environ["wsgi.input"].read()
    yield b"," + environ.get("HTTP_X_MANY", "").encode() + environ["QUERY_STRING"].encode()


def test_wsgi_apps_are_mounted():
    app = OURS.Starlette(routes=[OURS.Mount("/old", WSGIMiddleware(wsgi))])
    client = TestClient(app)
    response = client.post("/old/x?q=1", content=b"body", headers=[("x-many", "a"), ("x-many", "b")])
    assert (response.status_code, response.headers["x-root"]) == (201, "/old")
    assert response.text == "written,POST,body,a,bq=1"
    with pytest.raises(ValueError, match="broken"):
        client.get("/old/breaks")
