"""Threads that do not end, at the end of the process: calls of WSGI apps that were abandoned. Knows no server."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time

#: Seconds that threads get to notice the end.
_PATIENCE = 1.0


class CallThread(threading.Thread):
    """A thread that calls a WSGI app. The interpreter would wait for it at its end, however long the call lasts."""


def end_without(code: int, *, kind: type[threading.Thread] = CallThread) -> None:
    """End the process with ``code`` here and now if threads of ``kind`` would keep it; exit handlers have run then.

    Such threads cannot be daemons: those are ended amid a call, and native code on their stack takes the process along.
    """
    own = threading.current_thread()
    threads = [thread for thread in threading.enumerate() if isinstance(thread, kind) and not thread.daemon]
    end = time.monotonic() + _PATIENCE
    for thread in threads:
        if thread not in (own, threading.main_thread()):
            thread.join(max(0.0, end - time.monotonic()))
            if thread.is_alive():
                _end(code)


def _end(code: int) -> None:
    try:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(code)
