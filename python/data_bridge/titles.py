"""What `ps` and `top` call the processes of a server. Knows no server."""

from __future__ import annotations

import contextlib
import importlib
from pathlib import Path

#: The kernel keeps 15 characters.
_SHORT = {"server": "data-bridge", "master": "data-bridge", "worker": "data-bridge-wrk"}


def entitle(role: str, app: str) -> None:
    """Call this process ``data-bridge: role [app]`` where setproctitle is installed, else by a short name alone."""
    try:
        found = importlib.import_module("setproctitle")  # nobody needs to have it
    except ImportError:
        with contextlib.suppress(OSError):
            Path("/proc/self/comm").write_text(_SHORT[role], encoding="ascii")
    else:
        found.setproctitle(f"data-bridge: {role} [{app}]")
