"""A pytest plugin: every genuine FastAPI app gets our plan in front of its router, and each request is counted.

    PYTEST_PLUGINS=plan_in_front RECORD=out.json pytest tests

`PLAN_FRONT=0` counts without the plan. The report has one record a test, and the share: of the requests that reached
a user's endpoint and were answered with success, how many the plan served, and why routes were not compiled.
"""

from __future__ import annotations

import collections
import json
import os
from pathlib import Path

from data_bridge.adapters.fastapi import build_stack
from fastapi import FastAPI, routing

RECORD = os.environ.get("RECORD")
#: Requests by (served by the plan, how they ended).
counts: collections.Counter[str] = collections.Counter()
reasons: collections.Counter[str] = collections.Counter()
records: list[dict[str, object]] = []
original_build = FastAPI.build_middleware_stack
original_call = FastAPI.__call__

#: Set by whoever runs the endpoint; a request that reaches none is not counted.
PLANNED, REACHED = "test.planned", "test.reached"


def build(self):
    if os.environ.get("PLAN_FRONT") == "0":
        return original_build(self)
    stack, front = build_stack(self, lambda: original_build(self))
    front.on_planned = lambda scope, _operation: scope["test.flags"].add(PLANNED)
    explain_misses(front)
    return stack


def explain_misses(front):
    """Notes why a route that answered was not compiled."""
    router = front.fallback

    async def noting(scope, receive, send):
        await router(scope, receive, send)
        flags = scope.get("test.flags")
        if flags is not None and REACHED in flags:
            route = scope.get("route")
            found = next((e for c, e in front.routes._explain() if c.original_route is route), None)
            flags.add("why:" + ((found.why or "refused this request") if found else "unknown route"))

    front.fallback = noting


async def call(self, scope, receive, send):
    if scope["type"] != "http" or "test.flags" in scope:
        await original_call(self, scope, receive, send)
        return
    flags = scope["test.flags"] = set()
    status = 500

    async def sending(message):
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        await send(message)

    try:
        await original_call(self, scope, receive, sending)
    finally:
        reached = PLANNED in flags or REACHED in flags
        if reached and 200 <= status < 400:
            counts["plan" if PLANNED in flags else "fallback"] += 1
            if PLANNED not in flags:
                reasons.update(flag[4:] for flag in flags if flag.startswith("why:"))
        else:
            counts["not a success"] += 1


async def solve(*, request, dependant, **options):
    """Where FastAPI's own path is about to call an endpoint."""
    solved = await original_solve(request=request, dependant=dependant, **options)
    if not solved.errors and dependant.path is not None and "test.flags" in request.scope:
        request.scope["test.flags"].add(REACHED)
    return solved


original_solve = routing.solve_dependencies
routing.solve_dependencies = solve
FastAPI.build_middleware_stack = build
FastAPI.__call__ = call


def pytest_runtest_logreport(report):
    if report.when == "call" or report.outcome != "passed":
        why = "" if report.outcome == "passed" else str(report.longrepr)[-400:]
        records.append(
            {"id": report.nodeid, "outcome": report.outcome, "xfail": hasattr(report, "wasxfail"), "why": why}
        )


def share() -> str:
    served, rest = counts["plan"], counts["fallback"]
    total = served + rest
    return f"the plan served {served} of {total} successful requests ({served / total:.1%})" if total else "no requests"


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(share())
    for reason, count in reasons.most_common(25):
        terminalreporter.write_line(f"  {count:5d} {reason}")


def pytest_sessionfinish():
    if RECORD:
        content = {"counts": counts, "reasons": reasons, "tests": records}
        Path(RECORD).write_text(json.dumps(content, indent=0), encoding="utf-8")
