"""Rolling restarts of two workers under steady requests, on kept and on new connections: none may fail.

Run as `python restarts.py REQUESTS`: twenty restarts, spread over so many requests at 500 a second.
"""

from __future__ import annotations

import http.client
import re
import signal
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.support import servers  # noqa: E402

RESTARTS = 20
#: Requests a second, of all clients together.
RATE = 500
CLIENTS = 8


class Load:
    """Clients that ask at a steady rate until told to stop; half of them keep their connection."""

    def __init__(self, server: servers.Server) -> None:
        self.answered = 0
        self.failures: list[str] = []
        self._server = server
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number % 2 == 0,)) for number in range(CLIENTS)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, kept: bool) -> None:
        connection = http.client.HTTPConnection(self._server.host, self._server.port, timeout=servers.PATIENCE)
        due = time.monotonic()
        while not self._stop.is_set():
            failure = _ask(connection)
            if failure or not kept:
                connection.close()
            with self._lock:
                self.answered += not failure
                self.failures.extend([failure] if failure else [])
            due += CLIENTS / RATE
            self._stop.wait(max(0, due - time.monotonic()))
        connection.close()


def _ask(connection: http.client.HTTPConnection) -> str:
    """Make a request; gives what went wrong, or nothing."""
    try:
        connection.request("GET", "/")
        with connection.getresponse() as response:
            return "" if response.status == 200 and response.read().isdigit() else f"answered with {response.status}"
    except Exception as error:  # noqa: BLE001 - whatever it is, the request is lost
        return repr(error)


def main(requests: int) -> int:
    """Restart and count; the exit code says whether a request failed."""
    options = ("--workers", "2", "--no-access-log")
    with servers.data_bridge("app:app", *options, app_dir=ROOT / "tests" / "workers" / "apps") as server:
        with Load(server) as load:
            for restart in range(1, RESTARTS + 1):
                server.process.send_signal(signal.SIGHUP)
                ready = 2 + 2 * restart
                server.wait_until(
                    lambda ready=ready, share=requests * restart / RESTARTS: (
                        len(re.findall("is ready", server.output)) >= ready and load.answered >= share
                    ),
                    patience=600,
                )
        print(f"restarts: {RESTARTS} of two workers, {load.answered:,} requests answered, {len(load.failures)} failed")
        print("\n".join(load.failures[:10]))
        return bool(load.failures)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
