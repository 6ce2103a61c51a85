"""A pytest plugin: counts which of an App's requests the plan answers, and which the reference path.

    PYTEST_PLUGINS=anchor_shim,plan_of_app SHARE=out.json pytest tests

Of the requests that reached an endpoint and ended well: how many the plan served, and why it did not serve the others.
"""

from __future__ import annotations

import collections
import json
import os
from pathlib import Path

from data_bridge.app import App
from data_bridge.routing import handler

#: Requests by who answered them.
counts: collections.Counter[str] = collections.Counter()
reasons: collections.Counter[str] = collections.Counter()
#: In a scope: who has called the endpoint.
FLAGS = "test.flags"

original_call = App.__call__
original_front = App.front
original_build = App.build_middleware_stack
original_solve = handler.solve_dependencies


def build(self):
    """Let the plan say what it answers."""
    stack = original_build(self)
    self._front.on_planned = lambda scope, _operation: scope.get(FLAGS, set()).add("plan")
    return stack


async def call(self, scope, receive, send):
    """Note who answers a request, and how."""
    if scope["type"] != "http" or FLAGS in scope:
        await original_call(self, scope, receive, send)
        return
    flags = scope[FLAGS] = set()
    status = 500

    async def sending(message):
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        await send(message)

    try:
        await original_call(self, scope, receive, sending)
    finally:
        if flags and 200 <= status < 400:
            counts["plan" if "plan" in flags else "reference"] += 1
            if "plan" not in flags:
                reasons[why(self, scope)] += 1
        else:
            counts["not a success"] += 1


def why(app, scope) -> str:
    """Say why a route that answered was not compiled."""
    try:
        found = next((e for c, e in app._front.routes._explain() if c.original_route is scope.get("route")), None)
    except Exception as error:  # noqa: BLE001 - the apps of a suite are odd
        return type(error).__name__
    return (found.why or "refused this request") if found else "another app's route"


async def solve(*, request, dependant, **options):
    """Where the reference path is about to call an endpoint."""
    solved = await original_solve(request=request, dependant=dependant, **options)
    if not solved.errors and dependant.path is not None and FLAGS in request.scope:
        request.scope[FLAGS].add("reference")
    return solved


App.build_middleware_stack = build
App.__call__ = call
handler.solve_dependencies = solve


def pytest_sessionfinish():
    """Write the counts down."""
    content = {"plan": counts["plan"], "reference": counts["reference"], "reasons": dict(reasons.most_common(25))}
    Path(os.environ["SHARE"]).write_text(json.dumps(content, indent=0), encoding="utf-8")
