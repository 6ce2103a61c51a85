"""A second thread beside the server, when the environment asks for one. Knows nothing of HTTP.

BENCH_BURN=1         a thread computes in pure Python for ever
BENCH_HOLD=FOLDER    once FOLDER/hold exists, a thread keeps the GIL for 2 s and writes FOLDER/held: from when to when
"""

# Nothing but `os` is imported unless it is asked for: the apps' memory and cold start are measured too.
import os

HELD_SECONDS = 2.0


def begin():
    if os.environ.get("BENCH_BURN"):
        in_background(burn)
    if folder := os.environ.get("BENCH_HOLD"):
        in_background(hold, folder)


def in_background(function, *args):
    import threading

    threading.Thread(target=function, args=args, daemon=True).start()


def burn():
    number = 0
    while True:
        number = (number * 31 + 7) % 1_000_003


def hold(folder):
    import ctypes
    import json
    import time
    from pathlib import Path

    usleep = ctypes.PyDLL(None).usleep  # PyDLL does not release the GIL around the call
    while not Path(folder, "hold").exists():
        time.sleep(0.02)
    start = time.monotonic()
    usleep(int(HELD_SECONDS * 1e6))
    end = time.monotonic()
    done = Path(folder, "held.part")
    done.write_text(json.dumps({"from": start, "to": end}))
    done.rename(Path(folder, "held"))
