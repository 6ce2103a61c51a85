"""Registration: the decorators, and the table of what they registered. Knows no request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from typing_extensions import Unpack

from .._native import Operations
from ..exceptions import RouteError
from .types import Constant, Route, RouteOptions

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from ..responses import RawHeaders

Handler = TypeVar("Handler", bound=Callable[..., Any])


class Routes:
    """Routes in the order of their registration, which is the order in which they are tried."""

    #: The threads in which ``def`` functions run; they are started when they are needed.
    executor: Executor

    def __init__(self, *, redirect_slashes: bool = True) -> None:
        #: What was registered so far.
        self.routes: list[Route] = []
        self._operations = Operations("all", redirect_slashes)

    @property
    def operations(self) -> Operations:
        """The compiled form of :attr:`routes`."""
        return self._operations

    def add_route(
        self,
        path: str,
        endpoint: Callable[..., Any],
        methods: Iterable[str] = ("GET",),
        **options: Unpack[RouteOptions],
    ) -> None:
        """Register ``endpoint``.

        Raises :class:`~data_bridge.exceptions.RouteError`, naming its file and line, for all that is wrong with it.
        """
        from .compile import compile_route  # noqa: PLC0415 - needs Pydantic, which native routes do not

        names = tuple(dict.fromkeys(method.upper() for method in methods))
        self._add(compile_route(path, names, endpoint, options, self.executor))

    def route(
        self, path: str, methods: Iterable[str] = ("GET",), **options: Unpack[RouteOptions]
    ) -> Callable[[Handler], Handler]:
        """Answer ``methods`` on ``path`` by the decorated handler."""

        def decorator(endpoint: Handler) -> Handler:
            self.add_route(path, endpoint, methods, **options)
            return endpoint

        return decorator

    def get(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Handler], Handler]:
        """Answer GET."""
        return self.route(path, ("GET",), **options)

    def post(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Handler], Handler]:
        """Answer POST."""
        return self.route(path, ("POST",), **options)

    def put(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Handler], Handler]:
        """Answer PUT."""
        return self.route(path, ("PUT",), **options)

    def patch(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Handler], Handler]:
        """Answer PATCH."""
        return self.route(path, ("PATCH",), **options)

    def delete(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Handler], Handler]:
        """Answer DELETE."""
        return self.route(path, ("DELETE",), **options)

    def options(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Handler], Handler]:
        """Answer OPTIONS."""
        return self.route(path, ("OPTIONS",), **options)

    def head(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[Handler], Handler]:
        """Answer HEAD; as in FastAPI, a GET route does not answer it by itself."""
        return self.route(path, ("HEAD",), **options)

    def native(
        self,
        path: str,
        content: str | bytes,
        *,
        methods: Iterable[str] = ("GET", "HEAD"),
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> None:
        """Answer ``path`` with the same content each time, without the interpreter.

        A health check of this kind answers while Python is busy.
        ``content_type`` defaults to UTF-8 text for ``str`` and to ``application/octet-stream`` for ``bytes``.
        """
        textual = isinstance(content, str)
        default_type = "text/plain; charset=utf-8" if textual else "application/octet-stream"
        raw: RawHeaders = [(b"content-type", (content_type or default_type).encode("latin-1"))]
        raw += [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()]
        self._add(
            Constant(
                path=path,
                methods=tuple(dict.fromkeys(method.upper() for method in methods)),
                status_code=status,
                headers=tuple(raw),
                content=content.encode() if isinstance(content, str) else content,
            )
        )

    def _add(self, route: Route) -> None:
        try:
            if isinstance(route, Constant):
                self._operations.add_constant(route)
            else:
                self._operations.add(route)
        except ValueError as error:
            where = "app.native" if isinstance(route, Constant) else getattr(route.route, "where", "")
            raise RouteError(f"{where}: {' '.join(route.methods)} {route.path}: {error}") from error
        self.routes.append(route)
