"""Real database servers for one test session: each on a free port, in a folder of its own, gone at the end."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.conftest import require_program
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Debian keeps PostgreSQL's programs off the PATH, one folder a release.
POSTGRES = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Postgres:
    """Where the cluster answers."""

    port: int
    folder: str
    user: str = "tester"
    """Trusted, so there is no password; its database is `postgres`."""


@contextlib.contextmanager
def redis() -> Iterator[int]:
    """Run redis-server; gives its port."""
    program, port = require_program("redis-server"), servers.free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        with _ready(command, "Ready to accept connections"):
            yield port


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """Make a cluster and run it, as an ordinary user: PostgreSQL refuses to be root."""
    folders = sorted(str(folder) for folder in POSTGRES.glob("*/bin"))
    path = os.pathsep.join([*reversed(folders), os.environ.get("PATH", "")])
    initdb, program = require_program("initdb", path), require_program("postgres", path)
    user = _ordinary_user()
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        if user is not None:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        data, server = folder / "data", Postgres(servers.free_port(), str(folder))
        create = [initdb, "--pgdata", str(data), "--username", server.user, "--auth", "trust", "--no-sync"]
        subprocess.run([*create, "--encoding", "UTF8", "--locale", "C"], user=user, cwd=folder, check=True)
        run = [program, "-D", str(data), "-k", str(folder), "-p", str(server.port), "-F"]
        with _ready([*run, "-c", "listen_addresses=127.0.0.1"], "ready to accept connections", user, signal.SIGINT):
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ordinary_user() -> str | None:
    return "nobody" if os.geteuid() == 0 else None


@contextlib.contextmanager
def _ready(
    command: list[str], says: str, user: str | None = None, end: signal.Signals = signal.SIGTERM
) -> Iterator[None]:
    """Run a server from the moment that it says it is ready."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, user=user, cwd=tempfile.gettempdir()
    )
    assert process.stdout is not None
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if says in line:
                break
        else:
            raise AssertionError(f"{command[0]} did not start:\n{''.join(said)}")
        draining = threading.Thread(target=process.stdout.read, daemon=True)
        draining.start()  # a full pipe would stop the server
        yield
    finally:
        process.send_signal(end)
        process.wait(servers.PATIENCE)
        draining.join(servers.PATIENCE)
        process.stdout.close()
