"""`make conformance`: FastAPI's own tests on genuine FastAPI, with our plan in front of every app, and over sockets.

Prints how many tests pass as they do without us, which are lost, and the share of requests that the plan served. The
suite is downloaded once; our package is the wheel of the test environment. Takes about eight minutes.
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


def outcomes(folder: Path, source: Path, record: Path, plugin: str, **environment: str) -> dict[str, bool]:
    """Each test, and whether it passed, was skipped or failed as announced."""
    environment = os.environ | {
        "PYTEST_PLUGINS": plugin,
        "PYTHONPATH": f"docs_src:{HERE.resolve()}",
        "RECORD": str(record.resolve()),
        **environment,
    }
    command = [folder.resolve() / "venv" / "bin" / "python", "-m", "pytest", "tests", "-q", "-p", "no:cacheprovider"]
    subprocess.run(command, cwd=source, env=environment, check=False)
    tests = json.loads(record.read_text(encoding="utf-8"))["tests"]
    result: dict[str, bool] = {}
    for test in tests:
        fine = test["outcome"] in ("passed", "skipped") or test["xfail"]
        result[test["id"]] = result.get(test["id"], True) and fine
    return result


def not_over_a_socket() -> set[str]:
    """The tests that cannot pass through a socket by their nature."""
    lines = (HERE / "not_over_a_socket.txt").read_text(encoding="utf-8").splitlines()
    return {line.partition("  #")[0] for line in lines if line and not line.startswith("#")}


def missing(passed: list[str], outcome: dict[str, bool], where: str) -> list[str]:
    """Says how many of `passed` pass here too; gives those that do not."""
    lost = [test for test in passed if not outcome.get(test)]
    for test in lost:
        print(f"lost {where}: {test}")
    print(f"FastAPI alone passes {len(passed)}, {where} {len(passed) - len(lost)} of these")
    return lost


def main() -> int:
    """Runs the suite without the plan, with it, and over sockets; prints what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("target/conformance"), help="folder for suite and records")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    folder = options.out / "fastapi"
    source = suite(folder)
    plain = outcomes(folder, source, options.out / "fastapi-plain.json", "plan_in_front", PLAN_FRONT="0")
    passed = [test for test, fine in plain.items() if fine]
    record = options.out / "fastapi-plan.json"
    lost = missing(passed, outcomes(folder, source, record, "plan_in_front"), "with the plan in front")
    counts = json.loads(record.read_text(encoding="utf-8"))["counts"]
    served, rest = counts.get("plan", 0), counts.get("fallback", 0)
    print(f"the plan served {served} of {served + rest} requests that reached an endpoint with success")
    over = outcomes(folder, source, options.out / "fastapi-socket.json", "over_a_socket")
    excluded = not_over_a_socket()
    print(f"cannot pass through a socket by their nature: {len(excluded)}, listed with their reasons")
    lost += missing([test for test in passed if test not in excluded], over, "over a socket")
    return 1 if lost or served < rest else 0


if __name__ == "__main__":
    sys.exit(main())
