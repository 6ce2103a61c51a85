"""`make conformance-app`: FastAPI's own tests with `data_bridge.fastapi` in the place of `fastapi`.

Three runs of the unmodified suite: on FastAPI itself, for what passes in this environment; on ours, borrowing from
FastAPI what we lack and naming it (`anchor_shim.py`); on ours, strictly. Prints the counts and what is lost for each
part of the suite, and fails below the bars. Then runs the documentation's examples. Takes about eight minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from examples import compare
from run import HERE, suite

#: Tests that pass upstream and must pass on ours: borrowing, and strictly; names that may be borrowed.
BORROWING, STRICT, BORROWED = 5150, 4400, 40
#: The share of the requests that reached an endpoint with success which the plan has to serve.
PLANNED = 0.6


def outcomes(
    python: Path, source: Path, record: Path, tests: list[str], **environment: str
) -> tuple[dict[str, bool], list[str]]:
    """Run the suite. Gives each test with whether it passed (or failed as announced), and what was borrowed."""
    inherited = os.environ.get("PYTHONPATH", "")
    environment = os.environ | {
        "PYTEST_PLUGINS": "anchor_shim" + (",plan_of_app" if "ANCHOR_MAP" in environment else ""),
        "PYTHONPATH": os.pathsep.join(
            filter(None, ("docs_src", str(HERE.resolve()), str(HERE.resolve() / "children"), inherited))
        ),
        "ANCHOR_REPORT": str(record.resolve()),
        **environment,
    }
    # Strictly, a module whose import asks for a name that we lack fails; the others run.
    options = ["-q", "-p", "no:cacheprovider", "--continue-on-collection-errors"]
    command = [python.absolute(), "-m", "pytest", *tests, *options]
    subprocess.run(command, cwd=source, env=environment, check=False)
    report = json.loads(record.read_text(encoding="utf-8"))
    result: dict[str, bool] = {}
    for test in report["tests"]:
        fine = test["outcome"] in ("passed", "skipped") or test["xfail"]
        result[test["id"]] = result.get(test["id"], True) and fine
    return result, [*report["borrowed_modules"], *report["borrowed_names"]]


def main() -> int:
    """Run the suite three times and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("target/conformance"), help="folder for suite and records")
    parser.add_argument("--python", type=Path, help="an environment with the suite's needs (default: made below --out)")
    parser.add_argument("--source", type=Path, help="the suite's sources (default: downloaded to --out)")
    parser.add_argument("tests", nargs="*", default=["tests"], help="run these only; the bars are for all of them")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    folder = options.out / "fastapi"
    source = options.source or suite(folder)
    python = options.python or folder / "venv" / "bin" / "python"

    base, _ = outcomes(python, source, options.out / "fastapi-base.json", options.tests)
    passed = [test for test, fine in base.items() if fine]
    share = options.out.resolve() / "fastapi-app-share.json"
    ours = {"ANCHOR_MAP": "fastapi=data_bridge.fastapi", "SHARE": str(share)}
    bars = []
    for name, strict, bar in (("borrowing", "0", BORROWING), ("strictly", "1", STRICT)):
        record = options.out / f"fastapi-app-{name}.json"
        found, borrowed = outcomes(python, source, record, options.tests, ANCHOR_STRICT=strict, **ours)
        count = sum(found.get(test, False) for test in passed)
        subprocess.run([sys.executable, HERE / "compare.py", options.out / "fastapi-base.json", record], check=True)
        print(
            f"{name}: {count} of {len(passed)} that pass on FastAPI pass on ours (bar: {bar}); {len(borrowed)} borrowed"
        )
        bars += [count >= bar, len(borrowed) <= BORROWED]
    counted = json.loads(share.read_text(encoding="utf-8"))
    served, rest = counted["plan"], counted["reference"]
    share_served = served / ((served + rest) or 1)
    print(f"the plan served {share_served:.1%} of {served + rest} requests that reached an endpoint with success")
    for reason, count in counted["reasons"].items():
        print(f"  {count:5d} {reason}")
    runnable, different = compare(python, source, options.out)
    print(f"examples with their import changed: {runnable - len(different)} of {runnable} as FastAPI")
    for name in different:
        print(f"  differs: {name}")
    return 0 if all(bars) and runnable and not different and share_served >= PLANNED else 1


if __name__ == "__main__":
    sys.exit(main())
