"""`make conformance`: CPython's own asyncio tests, on our loop and on the standard one beside it.

The standard loop in the same interpreter and machine is the measure: each test that it passes and ours does not is
listed, and the exit code says whether there are any that docs/asyncio-differences.md does not explain. Takes about ten
minutes. `--only test_events,test_streams` runs some modules.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SUITE = HERE / "asyncio" / "cpython_suite.py"
DIFFERENCES = HERE.parents[1] / "docs" / "asyncio-differences.md"

#: `test_tasks.*.test_error_in_call_soon` fails in this harness for every loop.
FAILS_FOR_ALL = "test_error_in_call_soon"


def results(loop: str, only: str | None, folder: Path) -> dict[str, str]:
    """Each test's outcome on a loop. The whole record is left in `folder`."""
    record = folder / f"{loop}.json"
    command = [sys.executable, str(SUITE), "--loop", loop, "--drive", str(record)]
    subprocess.run(command + (["--only", only] if only else []), check=True)
    found = json.loads(record.read_text())["results"]
    return {test: outcome for test, (outcome, _message, _loops) in found.items()}


def explained(test: str, patterns: list[str]) -> bool:
    """Whether the page of differences names the test, its class or its module."""
    return any(test == pattern or test.startswith(pattern + ".") for pattern in patterns)


def main() -> int:
    """Runs both loops, prints what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="modules, separated by commas")
    parser.add_argument("--out", type=Path, default=Path("target/conformance"), help="folder for the records")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    standard = results("asyncio", options.only, options.out)
    ours = results("data_bridge", options.only, options.out)
    passed = [test for test, outcome in standard.items() if outcome == "pass" and FAILS_FOR_ALL not in test]
    lost = {test: ours.get(test, "absent") for test in passed if ours.get(test) != "pass"}
    patterns = re.findall(r"`(test_\w+(?:\.\w+)*)`", DIFFERENCES.read_text(encoding="utf-8"))
    unexplained = [test for test in lost if not explained(test, patterns)]
    for test in unexplained:
        print(f"{lost[test]:8} {test}")
    print(
        f"asyncio passes {len(passed)}, data_bridge {len(passed) - len(lost)} of these; {len(unexplained)} unexplained"
    )
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
