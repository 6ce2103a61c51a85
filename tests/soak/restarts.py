"""Rolling restarts of two workers under steady requests, on kept and on new connections: none may fail.

Run as `python restarts.py REQUESTS`: twenty restarts, spread over so many requests at 500 a second.
"""

from __future__ import annotations

import re
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.soak.clients import Clients  # noqa: E402
from tests.support import servers  # noqa: E402

if TYPE_CHECKING:
    import http.client

RESTARTS = 20
#: Requests a second, of all clients together.
RATE = 500
CLIENTS = 8


class Load(Clients):
    """They ask at a steady rate; half of them keep their connection."""

    def __init__(self, server: servers.Server) -> None:
        super().__init__(server, CLIENTS)
        self.failures: list[str] = []

    def _ask(self, connection: http.client.HTTPConnection, number: int) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            failure = _request(connection)
            if failure or number % 2:
                connection.close()
            with self._lock:
                self.answered += not failure
                self.failures.extend([failure] if failure else [])
            due += CLIENTS / RATE
            self._stop.wait(max(0, due - time.monotonic()))


def _request(connection: http.client.HTTPConnection) -> str:
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
