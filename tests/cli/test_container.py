"""In a container: process 1, a root that cannot be written to, no home, no name; Linux namespaces stand for it."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.conftest import require_program
from tests.support import servers

APPS = Path(__file__).parents[1] / "http" / "apps"
ROOM = ("--map-root-user", "--mount", "--pid", "--fork", "--mount-proc")
SHUT = "mount -o remount,bind,ro /"


def inside(command: str) -> list[str]:
    return [require_program("unshare"), *ROOM, "sh", "-c", f"{SHUT} && {command}"]


def child(pid: int) -> int:
    """The only child of a process."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())


@pytest.fixture(scope="module", autouse=True)
def namespaces() -> None:
    """Not every system lets its users have rooms of their own."""
    tried = subprocess.run(inside("true"), capture_output=True, text=True, timeout=servers.PATIENCE, check=False)
    if tried.returncode != 0:
        pytest.skip(f"no namespaces here: {tried.stderr.strip()}")


@pytest.mark.parametrize("flags", [(), ("--workers", "2")], ids=["one process", "workers"])
def test_process_1_on_a_read_only_root_without_a_home(flags: tuple[str, ...]) -> None:
    server = shlex.join(
        [sys.executable, "-m", "data_bridge", "run", "multiplexed:app", "--port", "0", "--app-dir", str(APPS), *flags]
    )
    bare = "exec env -i PYTHONUNBUFFERED=1 PATH=/usr/bin:/bin"
    with servers.running(inside(f"{bare} {server}"), APPS) as running:
        assert httpx.get(f"{running.url}/unread", timeout=servers.PATIENCE).text == "not read"
        first = child(running.process.pid)
        assert Path(f"/proc/{first}/ns/pid").readlink() != Path("/proc/self/ns/pid").readlink()
        os.kill(first, signal.SIGTERM)
        assert running.process.wait(servers.PATIENCE) == 0, running.output
