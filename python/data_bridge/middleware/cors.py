"""CORS: which origins' pages a browser may let read our answers (the Fetch standard, 3.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..datastructures import Headers, MutableHeaders

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from ..responses import Response
    from ..types import ASGIApp, Message, Receive, Scope, Send

ALL_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY")
#: Fields that a browser sends without asking.
SAFELISTED_HEADERS = {"Accept", "Accept-Language", "Content-Language", "Content-Type"}

_ASKED_BY = ("Origin", *(f"Access-Control-Request-{part}" for part in ("Method", "Headers", "Private-Network")))


class CORSMiddleware:
    """Answers preflights, and adds the fields that let a browser hand our answers to a page of another origin.

    ``"*"`` allows any origin, method or header field. ``allow_origin_regex`` must match an origin as a whole.
    ``max_age`` is how many seconds a browser may remember a preflight.
    """

    def __init__(
        self,
        app: ASGIApp,
        allow_origins: Collection[str] = (),
        allow_methods: Collection[str] = ("GET",),
        allow_headers: Collection[str] = (),
        allow_credentials: bool = False,
        allow_origin_regex: str | None = None,
        allow_private_network: bool = False,
        expose_headers: Collection[str] = (),
        max_age: int = 600,
    ) -> None:
        self.app = app
        self.allow_origins = allow_origins
        self.allow_all_origins = "*" in allow_origins
        self.allow_origin_regex = None if allow_origin_regex is None else re.compile(allow_origin_regex)
        self.allow_methods = ALL_METHODS if "*" in allow_methods else allow_methods
        self.allow_all_headers = "*" in allow_headers
        named = sorted(SAFELISTED_HEADERS | set(allow_headers))
        self.allow_headers = [name.lower() for name in named]
        self.allow_credentials = allow_credentials
        self.allow_private_network = allow_private_network
        #: Whether a preflight names the origin; with credentials a browser does not accept ``*``.
        self.preflight_explicit_allow_origin = not self.allow_all_origins or allow_credentials
        self.simple_headers = self._simple_headers(expose_headers)
        self.preflight_headers = self._preflight_headers(named, max_age)

    def _simple_headers(self, expose_headers: Collection[str]) -> dict[str, str]:
        fields = {
            "Access-Control-Allow-Origin": "*" if self.allow_all_origins else "",
            "Access-Control-Allow-Credentials": "true" if self.allow_credentials else "",
            "Access-Control-Expose-Headers": ", ".join(expose_headers),
        }
        return {name: value for name, value in fields.items() if value}

    def _preflight_headers(self, allow_headers: list[str], max_age: int) -> dict[str, str]:
        fields = {
            "Vary": ", ".join(_ASKED_BY),
            "Access-Control-Allow-Origin": "" if self.preflight_explicit_allow_origin else "*",
            "Access-Control-Allow-Methods": ", ".join(self.allow_methods),
            "Access-Control-Max-Age": str(max_age),
            "Access-Control-Allow-Headers": "" if self.allow_all_headers else ", ".join(allow_headers),
            "Access-Control-Allow-Credentials": "true" if self.allow_credentials else "",
        }
        return {name: value for name, value in fields.items() if value or name.endswith("Methods")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, or hand the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_asking = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
        if is_asking and "origin" in headers:
            await self.preflight_response(headers)(scope, receive, send)
        else:
            await self.simple_response(scope, receive, send, headers)

    def is_allowed_origin(self, origin: str) -> bool:
        """Say whether pages of this origin may read our answers."""
        return (
            self.allow_all_origins
            or (self.allow_origin_regex is not None and self.allow_origin_regex.fullmatch(origin) is not None)
            or origin in self.allow_origins
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer a preflight: 200, or 400 with what is not allowed."""
        from ..responses import PlainTextResponse  # noqa: PLC0415 - imported by the first preflight

        headers = dict(self.preflight_headers)
        origin = request_headers["origin"]
        asked = request_headers.get("access-control-request-headers")
        if self.preflight_explicit_allow_origin and self.is_allowed_origin(origin):
            headers["Access-Control-Allow-Origin"] = origin
        if self.allow_all_headers and asked is not None:
            headers["Access-Control-Allow-Headers"] = asked
        if self.allow_private_network and "access-control-request-private-network" in request_headers:
            headers["Access-Control-Allow-Private-Network"] = "true"
        refused = list(self._refused(request_headers, origin, asked))
        if refused:
            return PlainTextResponse(f"Disallowed CORS {', '.join(refused)}", status_code=400, headers=headers)
        return PlainTextResponse("OK", status_code=200, headers=headers)

    def _refused(self, request_headers: Headers, origin: str, asked: str | None) -> Iterator[str]:
        """Name what a preflight asks for and does not get."""
        if not self.is_allowed_origin(origin):
            yield "origin"
        if request_headers["access-control-request-method"] not in self.allow_methods:
            yield "method"
        if asked is not None and not self.allow_all_headers:
            names = [name.strip() for name in asked.lower().split(",")]
            if not set(names).issubset(self.allow_headers):
                yield "headers"
        if not self.allow_private_network and "access-control-request-private-network" in request_headers:
            yield "private-network"

    async def simple_response(self, scope: Scope, receive: Receive, send: Send, request_headers: Headers) -> None:
        """Hand the request on, and add our fields to its answer."""
        origin = request_headers.get("origin")

        async def send_with_fields(message: Message) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                self.add_fields(MutableHeaders(scope=message), origin)
            await send(message)

        await self.app(scope, receive, send_with_fields)

    def add_fields(self, headers: MutableHeaders, origin: str | None) -> None:
        """Add what an answer to this origin needs. Caches must not hand it to another one."""
        if origin is not None:
            headers.update(self.simple_headers)
            by_name = self.allow_credentials if self.allow_all_origins else self.is_allowed_origin(origin)
            if by_name:
                headers["Access-Control-Allow-Origin"] = origin
        headers.add_vary_header("Origin")
