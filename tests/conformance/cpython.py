"""CPython's own asyncio tests, on one loop and on another. Knows how to run and compare them, not what to print.

`asyncio/cpython_suite.py` runs them: every test class in a process of its own, and every test of a class that hangs or
crashes. The standard loop of the same interpreter on the same machine is the measure.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SUITE = HERE / "asyncio" / "cpython_suite.py"
DIFFERENCES = HERE.parents[1] / "docs" / "asyncio-differences.md"

#: `test_tasks.*.test_error_in_call_soon` fails in this harness for every loop.
FAILS_FOR_ALL = "test_error_in_call_soon"


@dataclass(frozen=True)
class Outcome:
    """How one test ended."""

    verdict: str
    message: str
    loops: int
    """How many loops of the kind under test it created; -1 where it crashed or hung."""

    @property
    def passed(self) -> bool:
        """Whether it ended well."""
        return self.verdict == "pass"

    @property
    def failed(self) -> bool:
        """Whether it was not passed, for another reason than a missing feature of the machine."""
        return self.verdict not in {"pass", "skip", "xfail"}

    @property
    def touches_the_loop(self) -> bool:
        """Whether the loop had a part in it: most tests of tasks and futures run on a mock."""
        return self.loops != 0


Outcomes = dict[str, Outcome]


def run(loop: str, record: Path, *tests: str) -> Outcomes:
    """Run modules, classes or tests (all, if none is named) on a loop. The record is left in the file."""
    command = [sys.executable, str(SUITE), "--loop", loop, "--drive", str(record)]
    subprocess.run(command + (["--only", ",".join(tests)] if tests else []), check=True, stdout=subprocess.DEVNULL)
    return read(record)


def read(record: Path) -> Outcomes:
    """What an earlier run has recorded."""
    found = json.loads(record.read_text(encoding="utf-8"))["results"]
    return {test: Outcome(*outcome) for test, outcome in found.items() if FAILS_FOR_ALL not in test}


def lost(ours: Outcomes, standard: Outcomes) -> Outcomes:
    """What asyncio passes and we do not. What nobody explains is tried once more: the machine may have been busy."""
    found = {}
    for test, outcome in standard.items():
        mine = ours.get(test, Outcome("absent", "it did not run", -1))
        if outcome.passed and not mine.passed and (explained(test) or not alone("data_bridge", test).passed):
            found[test] = mine
    return found


def alone(loop: str, test: str) -> Outcome:
    """One test in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return run(loop, Path(folder) / "record.json", test)[test]


def explained(test: str) -> bool:
    """Whether the page of differences names the test, its class or its module."""
    named = re.findall(r"`(test_\w+(?:\.\w+)*)`", DIFFERENCES.read_text(encoding="utf-8"))
    return any(test == name or test.startswith(name + ".") for name in named)
