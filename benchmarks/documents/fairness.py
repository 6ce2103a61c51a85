"""`python -m benchmarks.documents.fairness SECONDS`: what another thread gets done beside JSON.

A thread sleeps 10 ms and counts: alone, and while 1 MB documents are read and written back to back. Prints the shares.
"""

import functools
import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from benchmarks.documents import corpus
from benchmarks.documents.libraries import LIBRARIES

DOCUMENT = "records-1mb"


def main() -> int:
    """Measures every library and prints library → case → share of the idle count."""
    seconds = float(sys.argv[1])
    text, value = corpus.text(DOCUMENT), corpus.value(DOCUMENT)
    shares: dict[str, Any] = {}
    for name, load in LIBRARIES.items():
        try:
            calls = load()
        except ImportError:
            continue
        arguments = {"loads": text, "dumps": value}
        cases: dict[str, Callable[[], object]] = {
            case: functools.partial(calls[case], argument) for case, argument in arguments.items() if case in calls
        }
        # The idle count is taken beside each case: what the machine does meanwhile is in both.
        shares[name] = {case: count(work, seconds) / count(None, seconds) for case, work in cases.items()}
    print(json.dumps(shares))
    return 0


def count(work: Callable[[], object] | None, seconds: float) -> int:
    """How often a thread wakes from sleeps of 10 ms in that time."""
    wakes = 0
    ended = threading.Event()

    def sleeper() -> None:
        nonlocal wakes
        while not ended.is_set():
            time.sleep(0.01)
            wakes += 1

    thread = threading.Thread(target=sleeper)
    thread.start()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if work is None:
            time.sleep(0.05)
        else:
            work()
    found = wakes
    ended.set()
    thread.join()
    return found


if __name__ == "__main__":
    sys.exit(main())
