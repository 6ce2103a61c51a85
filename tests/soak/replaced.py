"""How soon a worker is replaced that was killed, and one that was stopped: from the master's word of it to the word
that another accepts. Half-done requests of a killed worker are lost, and no others.

Run as `python replaced.py KILLS`: so many workers are killed, a tenth as many stopped. Prints medians and the worst.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import select
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.soak.clients import Clients  # noqa: E402
from tests.support import servers  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Seconds from detection to a worker that accepts.
LIMIT = 0.3
#: What the master says, with the time at which it says it.
READY, KILLED = "is ready", "was killed by SIGKILL"
LINE = re.compile(rf"^(\d+\.\d+) Worker (\d+) (gives no sign of life|{KILLED}|{READY})", re.MULTILINE)
#: Clients that ask all the time.
CLIENTS = 4
LOGGING = {
    "version": 1,
    "formatters": {"timed": {"format": "%(created)f %(message)s"}},
    "handlers": {"timed": {"class": "logging.StreamHandler", "formatter": "timed"}},
    "loggers": {"data_bridge": {"handlers": ["timed"], "level": "INFO"}},
}


class Pooled(Clients):
    """They ask all the time, and look at their connection before they use it, as pools do."""

    def __init__(self, server: servers.Server) -> None:
        super().__init__(server, CLIENTS)
        #: When each request that was lost began and when it was.
        self.lost: list[tuple[float, float]] = []

    def _ask(self, connection: http.client.HTTPConnection, _: int) -> None:
        while not self._stop.wait(0.01):
            if connection.sock is not None and select.select([connection.sock], [], [], 0)[0]:
                connection.close()
            began = time.time()
            try:
                connection.request("GET", "/")
                good = connection.getresponse().read().isdigit()
            except (OSError, http.client.HTTPException):
                connection.close()
                good = False
            with self._lock:
                self.answered += good
                if not good:
                    self.lost.append((began, time.time()))


@contextlib.contextmanager
def serving() -> Iterator[servers.Server]:
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "logging.json")
        config.write_text(json.dumps(LOGGING), encoding="utf-8")
        options = ("--workers", "2", "--worker-timeout", "1", "--no-access-log", "--log-config", str(config))
        with servers.data_bridge("app:app", *options, app_dir=ROOT / "tests" / "workers" / "apps") as server:
            yield server


class Replacement:
    """A signal to the oldest worker, until another accepts in its place."""

    def __init__(self, server: servers.Server, number: signal.Signals) -> None:
        before = events(server)
        gone = {pid for _, pid, word in before if word == KILLED}
        victim = next(pid for _, pid, word in before if word == READY and pid not in gone)
        self.began = time.time()
        os.kill(int(victim), number)
        server.wait_until(lambda: any(word == READY for _, _, word in events(server)[len(before) :]))
        news = events(server)[len(before) :]
        noticed = next(at for at, pid, _ in news if pid == victim)
        #: Seconds from the master's word that it noticed.
        self.took = next(at for at, _, word in news if word == READY) - noticed
        self.died = next(at for at, pid, word in news if pid == victim and word == KILLED)

    def explains(self, began: float, lost: float) -> bool:
        """Whether a request was half done while the worker died."""
        return began <= self.died and lost >= self.began


def events(server: servers.Server) -> list[tuple[float, str, str]]:
    return [(float(at), pid, word) for at, pid, word in LINE.findall(server.output)]


def main(kills: int) -> int:
    """Kill, stop, count; the exit code says whether the limit was held."""
    missed, seen = False, []
    with serving() as server:
        with Pooled(server) as clients:
            for name, number, times in (("killed", signal.SIGKILL, kills), ("stopped", signal.SIGSTOP, kills // 10)):
                done = [Replacement(server, number) for _ in range(times)]
                took = [each.took for each in done]
                middle, worst = statistics.median(took), max(took)
                missed |= middle > LIMIT
                seen += done
                print(f"replaced: {times} {name}, {middle:.3f} s (median), {worst:.3f} s (worst) after it was noticed")
        unexplained = [each for each in clients.lost if not any(one.explains(*each) for one in seen)]
    print(
        f"replaced: {clients.answered:,} requests answered, {len(clients.lost)} lost with a worker that had them, "
        f"{len(unexplained)} otherwise"
    )
    return bool(missed or unexplained)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
