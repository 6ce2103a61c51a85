"""What importing a package costs, in CPU time of a new interpreter. Knows nothing of servers."""

import resource
import statistics
import subprocess
from typing import Any

from benchmarks.driver import environment
from benchmarks.driver.machine import pin
from benchmarks.driver.progress import Progress

Record = dict[str, Any]

#: What an application of each framework begins with.
IMPORTS = {"data_bridge": "from data_bridge import App", "fastapi": "from fastapi import FastAPI"}


def run(*, repeats: int, core: int, progress: Progress) -> Record:
    """CPU milliseconds by package, the interpreter's own start taken off; taken in turn, byte code warm."""
    statements = {"interpreter": "pass", **IMPORTS}
    for statement in statements.values():
        _cpu(statement, core)
    taken: dict[str, list[float]] = {name: [] for name in statements}
    for _ in range(repeats):
        for name, statement in statements.items():
            taken[name].append(_cpu(statement, core) * 1e3)
        progress.step("imports")
    base = statistics.median(taken["interpreter"])
    return {
        name: {"title": statement, "cpu_ms": statistics.median(taken[name]) - base, "all_ms": taken[name]}
        for name, statement in IMPORTS.items()
    }


def _cpu(statement: str, core: int) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([str(environment.PYTHON), "-c", statement], check=True, preexec_fn=lambda: pin(core))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
