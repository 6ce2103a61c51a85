"""`make conformance`: FastAPI's own tests on genuine FastAPI, with our plan in front of every app.

Prints how many tests pass as they do without us, which are lost, and the share of requests that the plan served. The
suite is downloaded once; our package is the wheel of the test environment. Takes about five minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
RELEASE = "fastapi-0.165.0"


def suite(folder: Path) -> Path:
    """Gives the suite's sources; downloads them, and what they need, where they are not there."""
    if not (folder / "venv" / "bin" / "pytest").exists():
        subprocess.run([HERE / "get_suite.sh", folder, sys.executable], check=True)
    wheel = next((Path(sys.prefix) / "wheel").glob("*.whl"))
    install = [folder / "venv" / "bin" / "python", "-m", "pip", "install", "-q", "--force-reinstall", "--no-deps"]
    subprocess.run([*install, wheel], check=True)
    return folder / "src" / RELEASE


def outcomes(folder: Path, source: Path, record: Path, *, with_plan: bool) -> dict[str, bool]:
    """Each test, and whether it passed, was skipped or failed as announced."""
    environment = os.environ | {
        "PYTEST_PLUGINS": "plan_in_front",
        "PYTHONPATH": f"docs_src:{HERE.resolve()}",
        "PLAN_REPORT": str(record.resolve()),
        "PLAN_FRONT": "1" if with_plan else "0",
    }
    command = [folder.resolve() / "venv" / "bin" / "python", "-m", "pytest", "tests", "-q", "-p", "no:cacheprovider"]
    subprocess.run(command, cwd=source, env=environment, check=False)
    tests = json.loads(record.read_text(encoding="utf-8"))["tests"]
    result: dict[str, bool] = {}
    for test in tests:
        fine = test["outcome"] in ("passed", "skipped") or test["xfail"]
        result[test["id"]] = result.get(test["id"], True) and fine
    return result


def main() -> int:
    """Runs the suite with the plan and without, prints what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("target/conformance"), help="folder for suite and records")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    folder = options.out / "fastapi"
    source = suite(folder)
    plain = outcomes(folder, source, options.out / "fastapi-plain.json", with_plan=False)
    record = options.out / "fastapi-plan.json"
    ours = outcomes(folder, source, record, with_plan=True)
    passed = [test for test, fine in plain.items() if fine]
    lost = [test for test in passed if not ours.get(test)]
    counts = json.loads(record.read_text(encoding="utf-8"))["counts"]
    served, rest = counts.get("plan", 0), counts.get("fallback", 0)
    for test in lost:
        print(f"lost: {test}")
    print(f"FastAPI alone passes {len(passed)}, with the plan in front {len(passed) - len(lost)} of these")
    print(f"the plan served {served} of {served + rest} requests that reached an endpoint with success")
    return 1 if lost or served < rest else 0


if __name__ == "__main__":
    sys.exit(main())
