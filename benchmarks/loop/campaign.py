"""Every case on every loop, interleaved, one process for each figure. Knows the method, not the cases."""

import json
import statistics
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.driver.environment import PYTHON, importable
from benchmarks.driver.machine import ROOT, pin
from benchmarks.driver.progress import Progress, say
from benchmarks.loop import echo
from benchmarks.loop.cases import CASES
from benchmarks.loop.factories import FACTORIES

Record = dict[str, Any]


@dataclass(frozen=True)
class Method:
    """How figures are taken."""

    repeats: int = 25
    scale: float = 0.4  # of each case's number of operations
    echo_seconds: float = 0.4
    server_core: int = 0
    generator_core: int = 1


class CaseError(Exception):
    """A loop cannot do a case; the message is the last line that it printed."""


def titles() -> dict[str, str]:
    """Every case by name, in the order of the tables."""
    return {name: case.title for name, case in CASES.items()} | {
        name: case.title for name, case in echo.ECHO_CASES.items()
    }


def run(loops: list[str], cases: list[str], method: Method) -> dict[str, Record]:
    """Case → loop → its figures, or `absent` and why."""
    missing = {loop: reason for loop in loops if (reason := importable(FACTORIES[loop].partition(":")[0]))}
    for loop, reason in missing.items():
        say(f"{loop} is absent: {reason}")
    progress = Progress(len(cases) * method.repeats * (len(loops) - len(missing)), "loops")
    pin(method.generator_core)
    results: dict[str, Record] = {}
    for case in cases:
        records: Record = {loop: {"absent": reason} for loop, reason in missing.items()}
        for number in range(method.repeats):
            for loop in loops:
                if "absent" not in records.setdefault(loop, {"repetitions": []}):
                    _repeat(records, loop, case, method)
                    progress.step(f"{case} {number + 1}/{method.repeats} {loop}")
        results[case] = {loop: _with_medians(records[loop]) for loop in loops}
    return results


def _repeat(records: Record, loop: str, case: str, method: Method) -> None:
    try:
        records[loop]["repetitions"].append(_measure(loop, case, method))
    except (CaseError, OSError, subprocess.TimeoutExpired) as reason:
        say(f"{case}: {loop} is absent: {reason}")
        records[loop] = {"absent": str(reason)}


def _measure(loop: str, case: str, method: Method) -> Record:
    if case in echo.ECHO_CASES:
        found = echo.ECHO_CASES[case]
        if not found.burn:
            return echo.measure(loop, found, seconds=method.echo_seconds, core=method.server_core)
        return _unpinned(
            lambda: echo.measure(loop, found, seconds=method.echo_seconds * 2, core=method.server_core), method
        )
    command = [str(PYTHON), "-m", "benchmarks.loop.worker", loop, case, str(method.scale)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=lambda: pin(method.server_core),
    )
    if done.returncode:
        raise CaseError((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1])
    record: Record = json.loads(done.stdout)
    return record


def _unpinned(measure: Callable[[], Record], method: Method) -> Record:
    pin(None)
    try:
        return measure()
    finally:
        pin(method.generator_core)


def _with_medians(record: Record) -> Record:
    if "absent" in record:
        return record
    numbers = [name for name, value in record["repetitions"][0].items() if isinstance(value, int | float)]
    return record | {
        "median": {name: statistics.median(run[name] for run in record["repetitions"]) for name in numbers}
    }
