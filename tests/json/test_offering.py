"""The interpreter is offered to other threads in the midst of a document. Figures are `make bench-json`'s."""

import sys
import threading

import pytest
from benchmarks.documents import corpus

from data_bridge.json import dumps, loads

TEXT = corpus.text("records-1mb")
VALUE = loads(TEXT)


@pytest.mark.parametrize("work", [lambda: loads(TEXT), lambda: dumps(VALUE)], ids=["loads", "dumps"])
def test_another_thread_runs_within_a_document(work):
    """With a switch interval of an hour nobody can ask for the interpreter: it was offered."""
    counted, wanted = 0, threading.Semaphore(0)

    def count():
        nonlocal counted
        while counted >= 0:
            wanted.acquire()
            counted += 1

    before = sys.getswitchinterval()
    sys.setswitchinterval(3600)
    thread = threading.Thread(target=count)
    try:
        thread.start()
        for _ in range(1000):
            wanted.release()
            seen = counted
            work()
            if counted > seen:
                break
        else:
            pytest.fail("no document let the other thread in")
    finally:
        sys.setswitchinterval(before)
        counted = -2
        wanted.release()
        thread.join()
