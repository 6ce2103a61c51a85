"""Who answers the requests of a framework's apps: the plan, or what stands behind it. For the plugins beside this file.

Of the requests that reached an endpoint and ended well: how many the plan served, and why it did not serve the others.
"""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: Requests by who answered them: `plan`, what `install` calls the rest, `not a success`.
counts: collections.Counter[str] = collections.Counter()
reasons: collections.Counter[str] = collections.Counter()

#: In a scope: who has called the endpoint.
_FLAGS = "test.flags"


def planned(scope: Any, _operation: Any) -> None:
    """Note that the plan answers; a front's `on_planned`."""
    scope.get(_FLAGS, set()).add("plan")


def install(app_class: Any, solving: Any, rest: str, front_of: Callable[[Any], Any]) -> None:
    """Count the requests of all apps of a class, whose endpoints are called after `solving.solve_dependencies`."""
    original_call, original_solve = app_class.__call__, solving.solve_dependencies

    async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or _FLAGS in scope:
            await original_call(self, scope, receive, send)
            return
        flags = scope[_FLAGS] = set()
        status = 500

        async def sending(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await original_call(self, scope, receive, sending)
        finally:
            if flags and 200 <= status < 400:
                counts["plan" if "plan" in flags else rest] += 1
                if "plan" not in flags:
                    reasons[_why(front_of(self), scope)] += 1
            else:
                counts["not a success"] += 1

    async def solve(*, request: Any, dependant: Any, **options: Any) -> Any:
        solved = await original_solve(request=request, dependant=dependant, **options)
        if not solved.errors and dependant.path is not None and _FLAGS in request.scope:
            request.scope[_FLAGS].add(rest)
        return solved

    app_class.__call__ = call
    solving.solve_dependencies = solve


def _why(front: Any, scope: Any) -> str:
    """Say why a route that answered was not compiled."""
    try:
        found = next((e for c, e in front.routes._explain() if c.original_route is scope.get("route")), None)
    except Exception as error:  # noqa: BLE001 - the apps of a suite are odd
        return type(error).__name__
    return (found.why or "refused this request") if found else "another app's route"
