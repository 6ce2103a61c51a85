"""The machine: cores, tools, versions. Knows nothing of servers.

A figure without the machine it was taken on is a rumour, so `describe()` goes into every results file.
"""

import os
import platform
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = {
    "wrk": "the load generator",
    "nginx": "the peer that marks the kernel's limit",
    "strace": "counts system calls per request",
    "h2load": "the load generator for HTTP/2",
}
#: Where a tool is not called as its package.
PACKAGES = {"h2load": "nghttp2-client"}


def missing_tools() -> dict[str, str]:
    """Tools that are not on PATH, each with what goes without it and how to get it."""
    return {
        tool: f"{purpose}; install it with `{how_to_install(tool)}` (or your system's equal)"
        for tool, purpose in TOOLS.items()
        if shutil.which(tool) is None
    }


def how_to_install(tool: str) -> str:
    """The command that brings a tool."""
    return f"apt-get install {PACKAGES.get(tool, tool)}"


def describe() -> dict[str, object]:
    """Everything about this machine and checkout that a reader needs to judge a figure."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        "load": os.getloadavg()[0],
        "tools": {tool: version for tool in TOOLS if (version := _tool_version(tool))},
    }


def commit() -> str:
    """The checkout's commit, with `+changes` when the tree differs from it."""
    head = _git("rev-parse", "--short", "HEAD")
    if not head:
        return "unknown"
    sources = ("crates", "python", "benchmarks", ":!benchmarks/results", "Cargo.toml", "Cargo.lock")
    changed = _git("status", "--porcelain", "--", *sources)
    return f"{head}+changes" if changed else head


def pin(core: int | None) -> None:
    """Ties the calling process to one core; None gives it all cores back."""
    everything = set(range(os.cpu_count() or 1))
    os.sched_setaffinity(0, everything if core is None else {core})


def _cpu_model() -> str:
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.processor()


def _tool_version(tool: str) -> str | None:
    if shutil.which(tool) is None:
        return None
    flag = {"wrk": "-v", "nginx": "-v", "strace": "-V", "h2load": "--version"}[tool]
    done = _run(tool, flag)
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr) if done else None
    return found[0] if found else "unknown"


def _git(*arguments: str) -> str:
    """What git answers about the checkout; nothing where there is no git, or none that knows it."""
    done = _run("git", "-C", str(ROOT), *arguments)
    return done.stdout.strip() if done and done.returncode == 0 else ""


def _run(*command: str) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return None
