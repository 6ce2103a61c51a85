"""`make conformance`: CPython's own asyncio tests, on our loop and on the standard one beside it, in one interpreter.

Prints how many tests each passes and, with its message, each test that asyncio passes and ours does not. Exits with 1
if docs/asyncio-differences.md does not explain one of those. Takes about five minutes on a quiet machine.
`--only test_events,test_streams` runs some modules, classes or tests; `--keep-standard` takes the standard loop's
results from the record of an earlier run.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import cpython  # noqa: E402 - this file is run as a script, beside its module


def main() -> int:
    """Runs both loops, prints what differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="modules, classes or tests, separated by commas")
    parser.add_argument("--out", type=Path, default=Path("target/conformance"), help="folder for the records")
    parser.add_argument("--keep-standard", action="store_true", help="do not run the standard loop again")
    options = parser.parse_args()
    version = platform.python_version()
    if importlib.util.find_spec("test.test_asyncio") is None:
        print(f"{version}: skipped, this interpreter came without CPython's tests (Lib/test)")
        return 0
    return compare(
        version, options.out / version, options.only.split(",") if options.only else [], options.keep_standard
    )


def compare(version: str, folder: Path, only: list[str], keep_standard: bool) -> int:
    """Run, compare, print; gives the exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "asyncio.json"
    standard = cpython.read(record) if keep_standard and record.exists() else cpython.run("asyncio", record, *only)
    ours = cpython.run("data_bridge", folder / "data_bridge.json", *only)
    measured = {test: outcome for test, outcome in standard.items() if test in ours or not only}
    lost = cpython.lost(ours, measured)
    unexplained = [test for test in lost if not cpython.explained(test)]
    for test, outcome in lost.items():
        reason = "NOT EXPLAINED" if test in unexplained else "explained"
        print(f"{version}: {reason}: {outcome.verdict} {test} {outcome.message.strip()}")
    for title, counted in (
        ("that touch the loop", {test for test, outcome in measured.items() if outcome.touches_the_loop}),
        ("of all", set(measured)),
    ):
        passed = {test for test in counted if measured[test].passed}
        print(f"{version}: {title}: asyncio passes {len(passed)}, data_bridge {len(passed - set(lost))} of these")
    print(f"{version}: {len(lost) - len(unexplained)} explained, {len(unexplained)} unexplained", flush=True)
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
