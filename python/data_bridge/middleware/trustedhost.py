"""Only the hosts that are ours: a `Host` field that someone else made up gets 400, before any URL is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..datastructures import URL, Headers
from ..datastructures.host import parse_host_header

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..responses import Response
    from ..types import ASGIApp, Receive, Scope, Send


class TrustedHostMiddleware:
    """Answers for these hosts only; ``*.example.org`` are all below it, ``*`` are all.

    ``www_redirect`` sends ``example.org`` to ``www.example.org`` where only that one is allowed.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: Sequence[str] | None = None, www_redirect: bool = True) -> None:
        hosts = ["*"] if allowed_hosts is None else allowed_hosts
        for pattern in hosts:
            is_plain = "*" not in pattern or pattern == "*" or ("*" not in pattern[1:] and pattern.startswith("*."))
            assert is_plain, "Domain wildcard patterns must be like '*.example.com'."  # noqa: S101 - users know the type
        self.app = app
        self.allowed_hosts = [pattern.lower() for pattern in hosts]
        self.allow_any = "*" in hosts
        self.www_redirect = www_redirect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the connection on, if it is for a host of ours."""
        if self.allow_any or scope["type"] not in ("http", "websocket") or self._is_ours(host := _host(scope)):
            await self.app(scope, receive, send)
        else:
            await self._refuse(scope, host)(scope, receive, send)

    def _is_ours(self, host: str | None) -> bool:
        return host is not None and any(
            host == pattern or (pattern.startswith("*") and host.endswith(pattern[1:]))
            for pattern in self.allowed_hosts
        )

    def _refuse(self, scope: Scope, host: str | None) -> Response:
        from ..responses import PlainTextResponse, RedirectResponse  # noqa: PLC0415 - few requests need them

        if self.www_redirect and host is not None and f"www.{host}" in self.allowed_hosts:
            url = URL(scope=scope)
            return RedirectResponse(url=str(url.replace(netloc=f"www.{url.netloc}")))
        return PlainTextResponse("Invalid host header", status_code=400)


def _host(scope: Scope) -> str | None:
    sent = parse_host_header(Headers(scope=scope).get("host"))
    return None if sent is None else sent.host.lower()
