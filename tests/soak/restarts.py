"""Rolling restarts of two workers under steady requests, on kept and on new connections: none may fail.

Run as `python restarts.py REQUESTS`: twenty restarts, spread over so many requests at 500 a second.
Then the same over TLS, where each restart has a new certificate.
"""

from __future__ import annotations

import http.client
import re
import signal
import socket
import ssl
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.soak.clients import Clients  # noqa: E402
from tests.support import servers  # noqa: E402
from tests.support.certificates import Authority  # noqa: E402

RESTARTS = 20
#: Requests a second, of all clients together.
RATE = 500
CLIENTS = 8


class Load(Clients):
    """They ask at a steady rate; half of them keep their connection."""

    def __init__(self, server: servers.Server, context: ssl.SSLContext | None) -> None:
        super().__init__(server, CLIENTS)
        self._context = context
        self.failures: list[str] = []

    def _connection(self) -> http.client.HTTPConnection:
        if self._context is None:
            return super()._connection()
        address = self._server.host, self._server.port
        return http.client.HTTPSConnection(*address, timeout=servers.PATIENCE, context=self._context)

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


class Tls:
    """A server's certificate, which is exchanged for another again and again, as programs that renew them do it."""

    def __init__(self, folder: Path) -> None:
        self._authority = Authority(folder)
        self._shown = self._authority.issue("shown", "127.0.0.1")
        self.context = ssl.create_default_context(cafile=str(self._authority.root))
        self.flags = self._shown.flags

    def renew(self, number: int) -> None:
        """Give the server another one, of the subject `number`."""
        new = self._authority.issue(f"new{number}", "127.0.0.1", subject=f"/CN={number}")
        new.key.replace(self._shown.key)
        new.chain.replace(self._shown.chain)

    def number(self, server: servers.Server) -> str:
        """Whose certificate the server shows to somebody who comes now."""
        with socket.create_connection((server.host, server.port), servers.PATIENCE) as plain:
            secured = self.context.wrap_socket(plain, server_hostname=server.host)
            subject = secured.getpeercert()["subject"]
        return dict(pair for pairs in subject for pair in pairs)["commonName"]


def restarted(requests: int, tls: Tls | None = None) -> int:
    """Restart and count; gives how many requests failed."""
    options = ("--workers", "2", "--no-access-log", *(tls.flags if tls else ()))
    with servers.data_bridge("app:app", *options, app_dir=ROOT / "tests" / "workers" / "apps") as server:
        with Load(server, tls.context if tls else None) as load:
            for restart in range(1, RESTARTS + 1):
                if tls:
                    tls.renew(restart)
                server.process.send_signal(signal.SIGHUP)
                ready = 2 + 2 * restart
                server.wait_until(
                    lambda ready=ready, share=requests * restart / RESTARTS: (
                        len(re.findall("is ready", server.output)) >= ready and load.answered >= share
                    ),
                    patience=600,
                )
            if tls:
                server.wait_until(lambda: tls.number(server) == str(RESTARTS))
        over = " over TLS" if tls else ""
        counted = f"{load.answered:,} requests answered{over}, {len(load.failures)} failed"
        print(f"restarts: {RESTARTS} of two workers, {counted}")
        print("\n".join(load.failures[:10]))
        return len(load.failures)


def main(requests: int) -> int:
    """Over TCP, then over TLS; the exit code says whether a request failed."""
    lost = restarted(requests)
    with tempfile.TemporaryDirectory() as folder:
        lost += restarted(requests, Tls(Path(folder)))
    return bool(lost)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
