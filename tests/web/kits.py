"""Our classes and Starlette's under the same names: an app is built of either, and must answer alike."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from data_bridge.testclient import TestClient

if TYPE_CHECKING:
    from collections.abc import Callable

#: Where the names are: below `data_bridge`, and below `starlette`.
_PLACES = {
    "Starlette": ("application.Application", "applications.Starlette"),
    **{
        name: (f"routing.{name}", f"routing.{name}")
        for name in ("BaseRoute", "Host", "Match", "Mount", "NoMatchFound", "Route", "Router", "WebSocketRoute")
    },
    "Convertor": ("routing.Convertor", "convertors.Convertor"),
    "register_url_convertor": ("routing.register_url_convertor", "convertors.register_url_convertor"),
    "Middleware": ("middleware.Middleware", "middleware.Middleware"),
    **{
        name: (f"middleware.{module}.{name}",) * 2
        for name, module in {
            "AuthenticationMiddleware": "authentication",
            "BaseHTTPMiddleware": "base",
            "CORSMiddleware": "cors",
            "GZipMiddleware": "gzip",
            "HTTPSRedirectMiddleware": "httpsredirect",
            "RequestBodyLimitMiddleware": "body_limit",
            "TrustedHostMiddleware": "trustedhost",
        }.items()
    },
    **{
        name: (f"responses.{name}",) * 2
        for name in ("HTMLResponse", "JSONResponse", "PlainTextResponse", "Response", "StreamingResponse")
    },
    "HTTPException": ("exceptions.BaseHTTPException", "exceptions.HTTPException"),
    "WebSocketException": ("exceptions.WebSocketException",) * 2,
    "WebSocketDisconnect": ("websockets.WebSocketDisconnect",) * 2,
    **{
        name: (f"authentication.{name}",) * 2
        for name in ("AuthCredentials", "AuthenticationBackend", "AuthenticationError", "SimpleUser", "requires")
    },
    "HTTPEndpoint": ("endpoints.HTTPEndpoint",) * 2,
    "WebSocketEndpoint": ("endpoints.WebSocketEndpoint",) * 2,
    "BackgroundTask": ("background.BackgroundTask",) * 2,
}


def _kit(package: str, place: int) -> SimpleNamespace:
    kit = SimpleNamespace(package=package)
    for name, places in _PLACES.items():
        module, _, attribute = places[place].rpartition(".")
        setattr(kit, name, getattr(import_module(f"{package}.{module}"), attribute))
    return kit


OURS, STARLETTE = _kit("data_bridge", 0), _kit("starlette", 1)


def alike(build: Callable[[Any], Any], *requests: tuple[Any, ...], **client: Any) -> list[tuple[Any, ...]]:
    """Make requests, each ``(method, url, options)``, of the app built of either kit; give the equal answers."""
    ours, theirs = (_answers(build(kit), requests, client) for kit in (OURS, STARLETTE))
    for request, our, their in zip(requests, ours, theirs, strict=True):
        assert our == their, request
    return ours


def _answers(app: Any, requests: tuple[tuple[Any, ...], ...], client: dict[str, Any]) -> list[tuple[Any, ...]]:
    options = {"raise_server_exceptions": False, "follow_redirects": False, **client}
    # A request that has a cookie or not must not depend on the one before it.
    return [_answer(TestClient(app, **options).request(*request[:2], **dict(*request[2:]))) for request in requests]


def _answer(response: Any) -> tuple[Any, ...]:
    fields = [(name, _in_order(name, value)) for name, value in response.headers.multi_items()]
    return response.status_code, sorted(fields), response.content


def _in_order(name: str, value: str) -> str:
    """Starlette's `Allow` has the order of a set."""
    return ", ".join(sorted(value.split(", "))) if name == "allow" else value
