"""The compiled routes of a router, made at the first request and made anew when the router's routes change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .._native import Answer, Operations
from .compile import compile_route
from .fields import NotCompiled
from .watch import watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..plan.types import Operation

#: Matches every path: what may be anywhere hides all that comes after it.
ANYWHERE = "/{data_bridge_rest:path}"


class Explained(NamedTuple):
    """A route and how far it was compiled."""

    path: str
    methods: tuple[str, ...]
    #: None where the app itself answers.
    operation: Operation | None
    #: Why it does.
    why: str


class Routes:
    """The routes of ``router``. ``answers`` says whether nobody but us would answer what no route matches."""

    def __init__(self, framework: Any, router: Any) -> None:
        self._framework = framework
        self._router = router
        self._operations: Operations | None = None
        self.answers = False

    def find(
        self, method: str, path: str, query: bytes, headers: Any
    ) -> tuple[Operation, dict[str, Any], list[Any]] | None:
        """Find the operation of a request, its path parameters and the values of its own parameters."""
        found = self.compiled().match(method, path, b"", query, headers)
        if found is None or isinstance(found, Answer):
            return None
        operation, path_params, slots = found
        return None if slots is None else (operation, path_params, slots)

    def compiled(self) -> Operations:
        """Give the table as the routes are now."""
        if self._operations is None:
            self._operations = self._compile()
        return self._operations

    def explain(self) -> Iterator[Explained]:
        """Say of each route how far it compiles."""
        return (explained for _, explained in self._explain())

    def _explain(self) -> Iterator[tuple[Any, Explained]]:
        framework = self._framework
        obstacle = framework.replaced_hook() or _odd_router(framework, self._router)
        limits_forms = _limits_forms(self._router)
        for context in framework.routing.iter_route_contexts(self._router.routes):
            path = context.path or ""
            methods = tuple(sorted(context.methods or ()))
            try:
                operation = compile_route(framework, context, obstacle, limits_forms=limits_forms)
                yield context, Explained(path, methods, operation, "")
            except (NotCompiled, ValueError) as reason:  # ValueError: a path that only Starlette understands
                yield context, Explained(path, methods, None, str(reason))

    def _compile(self) -> Operations:
        watch(self._router, self._changed)
        operations = Operations("plain" if self.answers else "nothing")
        for context, explained in self._explain():
            if isinstance(context.original_route, self._framework.WebSocketRoute):
                continue
            try:
                if hasattr(context.original_route, "constant"):
                    operations.add_constant(context.original_route.constant(explained.path))
                elif hasattr(context.original_route, "natives"):
                    for native in context.original_route.natives(explained.path):
                        operations.add_native(native)
                elif explained.operation is not None:
                    operations.add(explained.operation)
                else:
                    operations.add_foreign(_place(self._framework, context.original_route, explained.path))
            except ValueError:
                operations.add_foreign(ANYWHERE)
        return operations

    def _changed(self) -> None:
        if self._operations is not None:
            self._operations.outdate()
            self._operations = None


def _odd_router(framework: Any, router: Any) -> str | None:
    """Say which of the routers takes part in requests in its own way, if one does."""
    for name in ("app", "handle", "matches", "__call__"):
        if getattr(type(router), name) is not getattr(framework.routing.APIRouter, name) or name in vars(router):
            return f"{type(router).__name__} has its own {name}()"
    included = (getattr(route, "original_router", None) for route in router.routes)
    return next((odd for inner in included if inner is not None and (odd := _odd_router(framework, inner))), None)


def _limits_forms(router: Any) -> bool:
    """Say whether a router, or the inclusion of one, says how large forms may be."""
    included = [route for route in router.routes if hasattr(route, "original_router")]
    said = [router.form_limits, *(route.include_context.form_limits for route in included)]
    return any(said) or any(_limits_forms(route.original_router) for route in included)


def _place(framework: Any, route: Any, path: str) -> str:
    """Give the pattern of all paths that a route of the app's own may match."""
    if type(route).matches is framework.Mount.matches:
        return f"{path.rstrip('/')}/{{data_bridge_rest:path}}"
    plain = type(route).matches in (framework.Route.matches, framework.routing.APIRoute.matches)
    return path if plain else ANYWHERE
