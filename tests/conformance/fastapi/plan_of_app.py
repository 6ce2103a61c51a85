"""A pytest plugin: counts which of an App's requests the plan answers, and which the reference path.

PYTEST_PLUGINS=anchor_shim,plan_of_app SHARE=out.json pytest tests
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from counting import counts, install, planned, reasons

from data_bridge.app import App
from data_bridge.routing import handler

original_build = App.build_middleware_stack


def build(self):
    """Let the plan say what it answers."""
    stack = original_build(self)
    self._front.on_planned = planned
    return stack


App.build_middleware_stack = build
install(App, handler, "reference", lambda app: app._front)


def pytest_sessionfinish():
    """Write the counts down."""
    content = {"plan": counts["plan"], "reference": counts["reference"], "reasons": dict(reasons.most_common(25))}
    Path(os.environ["SHARE"]).write_text(json.dumps(content, indent=0), encoding="utf-8")
