"""Handlers in Rust within what our server carries out itself: hosts, CORS, compression, a bound of bodies."""

import asyncio

import gil
import native_cases as cases

from data_bridge import App
from data_bridge.middleware.compression import CompressionMiddleware
from data_bridge.middleware.cors import CORSMiddleware
from data_bridge.middleware.gzip import GZipMiddleware
from data_bridge.middleware.httpsredirect import HTTPSRedirectMiddleware
from data_bridge.middleware.trustedhost import TrustedHostMiddleware
from data_bridge.responses import PlainTextResponse


class Passing:
    """Adds nothing, and is none of those that our server knows: with it every request goes through ASGI."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)


#: Seconds until an answer has to begin.
SHORT = 0.1


def _add_late(app: App) -> None:
    app.native("/late", cases.never, timeout=SHORT)
    app.native("/begun", cases.echoed, methods=["POST"], timeout=SHORT)
    app.native("/dropped", cases.endless)

    @app.get("/late-python", timeout=SHORT)
    async def late() -> None:
        await asyncio.sleep(3600)


def _made(*outermost: type) -> App:
    app = App(max_body_size=100_000)
    _add_late(app)
    for path, name, methods in (
        ("/made", "made_response", ["GET", "POST"]),
        ("/nothing", "nothing", ["DELETE"]),
        ("/doubled", "doubled", ["POST"]),
        ("/echoed", "echoed", ["POST"]),
        *(
            (f"/{name}", name, ["GET"])
            for name in ("numbers", "broken_off", "large", "heavy", "events", "panics", "odd")
        ),
    ):
        app.native(path, getattr(cases, name), methods=methods)
    app.native("/site", cases.site)
    app.native("/numbers/limited", cases.numbers, timeout=60)
    app.get("/hold-until", inline=True)(gil.hold_until)
    app.get("/python")(gil.python)
    app.add_middleware(GZipMiddleware, minimum_size=10)
    app.add_middleware(
        CORSMiddleware, allow_origins=["https://a.example"], allow_methods=["POST"], allow_credentials=True
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "ours"])
    for middleware in outermost:
        app.add_middleware(middleware)
    return app


app = _made()
behind = _made(Passing)
bare = App()
_add_late(bare)
bare.get("/hold-until", inline=True)(gil.hold_until)


def _best(*outermost: type) -> App:
    app = App()
    for name in ("numbers", "large", "heavy", "events"):
        app.native(f"/{name}", getattr(cases, name))
    app.get("/hold-until", inline=True)(gil.hold_until)
    for middleware in (CompressionMiddleware, *outermost):
        app.add_middleware(middleware)
    return app


own_refusal = App(max_body_size=10)
own_refusal.native("/length", cases.length, methods=["POST"])


@own_refusal.exception_handler(413)
def refuse(_request, _error):
    return PlainTextResponse("mine", status_code=413)


best = _best()
best_behind = _best(Passing)
secure = _made(HTTPSRedirectMiddleware)
