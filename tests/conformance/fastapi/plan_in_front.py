"""A pytest plugin: every genuine FastAPI app gets our plan in front of its router, and each request is counted.

    PYTEST_PLUGINS=plan_in_front RECORD=out.json pytest tests

`PLAN_FRONT=0` runs without the plan. The report has one record a test, and the counts.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from counting import counts, install, planned, reasons
from fastapi import FastAPI, routing

from data_bridge.adapters import upstream
from data_bridge.adapters.front import Front

RECORD = os.environ.get("RECORD")
records: list[dict[str, object]] = []
original_build = FastAPI.build_middleware_stack


def build(self):
    """Build the stack with the plan where the router would be."""
    if os.environ.get("PLAN_FRONT") == "0":
        return original_build(self)
    router = self.router
    self.router = self.__dict__["test_front"] = front = Front(upstream, router)
    front.on_planned = planned
    try:
        return original_build(self)
    finally:
        self.router = router


install(FastAPI, routing, "fallback", lambda app: app.__dict__.get("test_front"))
FastAPI.build_middleware_stack = build


def pytest_runtest_logreport(report):
    """Note how a test ended."""
    if report.when == "call" or report.outcome != "passed":
        why = "" if report.outcome == "passed" else str(report.longrepr)[-400:]
        records.append(
            {"id": report.nodeid, "outcome": report.outcome, "xfail": hasattr(report, "wasxfail"), "why": why}
        )


def pytest_terminal_summary(terminalreporter):
    """Say what the plan served, and why not all."""
    served, total = counts["plan"], counts["plan"] + counts["fallback"]
    terminalreporter.write_line(f"the plan served {served} of {total} successful requests")
    for reason, count in reasons.most_common(25):
        terminalreporter.write_line(f"  {count:5d} {reason}")


def pytest_sessionfinish():
    """Write the records down."""
    if RECORD:
        content = {"counts": counts, "reasons": reasons, "tests": records}
        Path(RECORD).write_text(json.dumps(content, indent=0), encoding="utf-8")
