"""A trimmed run of CPython's own asyncio tests.

`make conformance` runs all of them, on every Python there is.
"""

from __future__ import annotations

import importlib.util

import pytest
from tests.conformance import cpython

#: What touches the loop and is soon done: about half a minute.
TRIMMED = (
    "test_buffered_proto",
    "test_context",
    "test_eager_task_factory",
    "test_events",
    "test_locks",
    "test_queues",
    "test_sendfile",
    "test_server",
    "test_sock_lowlevel",
    "test_sslproto",
    "test_streams",
    "test_subprocess",
    "test_tasks.CTask_CFuture_Tests",
    "test_threads",
    "test_timeouts",
    "test_unix_events",
    "test_waitfor",
)


def test_what_asyncio_passes_passes(tmp_path) -> None:
    if importlib.util.find_spec("test.test_asyncio") is None:
        pytest.skip("this interpreter came without CPython's tests (Lib/test)")
    ours = cpython.run("data_bridge", tmp_path / "data_bridge.json", *TRIMMED)
    assert sum(outcome.touches_the_loop for outcome in ours.values()) > 400, "the suite has run on our loop"
    suspects = [test for test, outcome in ours.items() if outcome.failed and not cpython.explained(test)]
    standard = {test: cpython.alone("asyncio", test) for test in suspects}
    assert not cpython.lost(ours, standard)
