"""Routes to whole applications: all below a path, or all of a host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..datastructures.host import parse_host_header
from ..middleware import wrapped
from .base import BaseRoute, Match, NoMatchFound, url_among
from .paths import compile_path, get_route_path, match_path, replace_params

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..datastructures import URLPath
    from ..middleware import Middleware
    from ..types import ASGIApp, Receive, Scope, Send


class _Outer(BaseRoute):
    """What mounts and hosts have in common: an app with routes of its own, whose names follow ours and a colon."""

    app: ASGIApp
    name: str | None

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The app's routes, where it has such."""
        routes: Sequence[BaseRoute] = getattr(self.app, "routes", None) or []
        return routes

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the connection to the app."""
        await self.app(scope, receive, send)

    def _inner_name(self, name: str) -> str | None:
        """Give the name that one of our routes would have to have."""
        if self.name is None:
            return name
        return name[len(self.name) + 1 :] if name.startswith(f"{self.name}:") else None


class Mount(_Outer):
    """All below a path, handed to ``app`` (or to ``routes``) with that path in the scope's ``root_path``."""

    def __init__(
        self,
        path: str,
        app: ASGIApp | None = None,
        routes: Sequence[BaseRoute] | None = None,
        name: str | None = None,
        *,
        middleware: Sequence[Middleware] | None = None,
        max_body_size: int | None = None,
    ) -> None:
        assert path == "" or path.startswith("/"), "Routed paths must start with '/'"  # noqa: S101 - as users know it
        assert app is not None or routes is not None, "Either 'app=...', or 'routes=' must be specified"  # noqa: S101
        self.path = path.rstrip("/")
        self.name = name
        self._base_app = _router_of(routes) if app is None else app
        self.app = wrapped(self._base_app, middleware, max_body_size)
        self.path_regex, self.path_format, self.param_convertors = compile_path(self.path + "/{path:path}")

    @property
    def routes(self) -> Sequence[BaseRoute]:
        """The routes of the app below the middleware."""
        routes: Sequence[BaseRoute] = getattr(self._base_app, "routes", None) or []
        return routes

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the beginning of the path."""
        if scope["type"] not in ("http", "websocket"):
            return Match.NONE, {}
        path = get_route_path(scope)
        found = match_path(self.path_regex, self.param_convertors, path)
        if found is None:
            return Match.NONE, {}
        rest = "/" + found.pop("path")
        root = scope.get("root_path", "")
        return Match.FULL, {
            "path_params": {**scope.get("path_params", {}), **found},
            # What stood above the outermost app: URLs are made from there, however deep the mounts.
            "app_root_path": scope.get("app_root_path", root),
            "root_path": root + path[: -len(rest)],
            "endpoint": self.app,
        }

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Give the path of a file below (``name`` with ``path``), or of a route of the app (``name:inner``)."""
        from ..datastructures import URLPath  # noqa: PLC0415 - addresses are rarely made

        below = path_params.get("path")
        if self.name is not None and name == self.name and below is not None:
            given = {**path_params, "path": below.lstrip("/")}
            path, remaining = replace_params(self.path_format, self.param_convertors, given)
            if not remaining:
                return URLPath(path=path)
        inner = self._inner_name(name)
        if inner is not None:
            given = {**path_params, "path": ""}
            prefix, remaining = replace_params(self.path_format, self.param_convertors, given)
            if below is not None:
                remaining["path"] = below
            url = url_among(self.routes, inner, remaining)
            if url is not None:
                return URLPath(path=prefix.rstrip("/") + str(url), protocol=url.protocol)
        raise NoMatchFound(name, path_params)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mount) and self.path == other.path and self.app == other.app

    __hash__ = None  # type: ignore[assignment]  # equal by what may change

    def __repr__(self) -> str:
        return f"{type(self).__name__}(path={self.path!r}, name={self.name or ''!r}, app={self.app!r})"


class Host(_Outer):
    """All that is asked of a host, which may have parameters: ``{tenant}.example.org``."""

    def __init__(self, host: str, app: ASGIApp, name: str | None = None) -> None:
        assert not host.startswith("/"), "Host must not start with '/'"  # noqa: S101
        self.host = host
        self.app = app
        self.name = name
        self.host_regex, self.host_format, self.param_convertors = compile_path(host)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the ``Host`` field, in any case and with any port."""
        if scope["type"] in ("http", "websocket"):
            sent = parse_host_header(_host_field(scope))
            found = sent and match_path(self.host_regex, self.param_convertors, sent.host.lower())
            if found is not None and sent is not None:
                path_params = {**scope.get("path_params", {}), **found}
                return Match.FULL, {"path_params": path_params, "endpoint": self.app}
        return Match.NONE, {}

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Give a path on this host (``name`` with ``path``), or of a route of the app (``name:inner``)."""
        from ..datastructures import URLPath  # noqa: PLC0415 - addresses are rarely made

        if self.name is not None and name == self.name and "path" in path_params:
            given = dict(path_params)
            path = given.pop("path")
            host, remaining = replace_params(self.host_format, self.param_convertors, given)
            if not remaining:
                return URLPath(path=path, host=host)
        inner = self._inner_name(name)
        if inner is not None:
            host, remaining = replace_params(self.host_format, self.param_convertors, path_params)
            url = url_among(self.routes, inner, remaining)
            if url is not None:
                return URLPath(path=str(url), protocol=url.protocol, host=host)
        raise NoMatchFound(name, path_params)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Host) and self.host == other.host and self.app == other.app

    __hash__ = None  # type: ignore[assignment]  # equal by what may change

    def __repr__(self) -> str:
        return f"{type(self).__name__}(host={self.host!r}, name={self.name or ''!r}, app={self.app!r})"


def _host_field(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name.lower() == b"host":
            text: str = value.decode("latin-1")
            return text
    return None


def _router_of(routes: Sequence[BaseRoute] | None) -> ASGIApp:
    from .router import Router  # noqa: PLC0415 - a router mounts, and a mount routes

    return Router(routes=routes)
