"""The Autobahn test suite against our server: every case of the fuzzing client, compression included.

The suite runs on Python 2.7 only. Where that is missing (``python2.7`` on PATH, or ``AUTOBAHN_PYTHON``), or the suite
cannot be installed, this says so and ends well. Figure to reach: 0 failed, 0 unimplemented of 517. Takes some minutes.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support import servers

HERE = Path(__file__).parent

#: What `behavior` and `behaviorClose` may be besides good.
BAD = ("FAILED", "UNIMPLEMENTED", "UNCLEAN", "WRONG CODE")


def old_python() -> str | None:
    """Give an interpreter that the suite runs on."""
    named = os.environ.get("AUTOBAHN_PYTHON") or shutil.which("python2.7")
    if named and subprocess.run([named, "-c", ""], capture_output=True, check=False).returncode == 0:
        return named
    found = sorted(Path.home().glob(".pyenv/versions/2.7*/bin/python")) + sorted(
        Path(os.environ.get("PYENV_ROOT", "/nowhere")).glob("versions/2.7*/bin/python")
    )
    return str(found[0]) if found else None


def suite(folder: Path) -> Path | None:
    """Give the suite's program, installed into `folder` on first use."""
    program = folder / "suite" / "bin" / "wstest"
    if program.exists():
        return program
    python = old_python()
    if python is None:
        print("skipped: the Autobahn suite needs Python 2.7 (python2.7 on PATH, or AUTOBAHN_PYTHON=/path/to/it)")
        return None
    maker = folder / "maker"
    steps = [
        [sys.executable, "-m", "venv", str(maker)],
        # The last ones that can make an environment of Python 2.7.
        [str(maker / "bin" / "pip"), "install", "--quiet", "virtualenv<20.22"],
        [str(maker / "bin" / "virtualenv"), "--quiet", "-p", python, str(folder / "suite")],
        [str(folder / "suite" / "bin" / "pip"), "install", "--quiet", "autobahntestsuite"],
    ]
    for step in steps:
        ended = subprocess.run(step, check=False)
        if ended.returncode != 0:
            print(f"skipped: the Autobahn suite could not be installed ({' '.join(step)})")
            shutil.rmtree(folder / "suite", ignore_errors=True)
            return None
    return program


def run(program: Path, folder: Path, cases: list[str]) -> dict[str, dict[str, str]]:
    """Run the suite against our server and give its record of each case."""
    reports = folder / "reports"
    shutil.rmtree(reports, ignore_errors=True)
    with servers.data_bridge("echo:app", "--no-access-log", app_dir=HERE) as server:
        spec = folder / "fuzzingclient.json"
        target = {"agent": "data_bridge", "url": f"ws://{server.host}:{server.port}"}
        spec.write_text(json.dumps({"outdir": str(reports), "servers": [target], "cases": cases, "exclude-cases": []}))
        with (folder / "log").open("w") as log:
            command = [str(program), "-m", "fuzzingclient", "-s", str(spec)]
            subprocess.run(command, check=True, cwd=folder, stdout=log, stderr=log)
    found: dict[str, dict[str, str]] = json.loads((reports / "index.json").read_text())["data_bridge"]
    return found


def main() -> int:
    """Print the counts and every case that is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", nargs="*", default=["*"], help="e.g. 1.* 12.1.*")
    parser.add_argument("--out", type=Path, default=Path("target/conformance/autobahn"), help="folder for the records")
    options = parser.parse_args()
    folder = options.out.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    program = suite(folder)
    if program is None:
        return 0
    found = run(program, folder, options.cases)
    bad = {case: seen for case, seen in found.items() if seen["behavior"] in BAD or seen["behaviorClose"] in BAD}
    for case, seen in sorted(bad.items()):
        print(f"{case}: {seen['behavior']}, close {seen['behaviorClose']} (reports/{seen['reportfile']})")
    counts = collections.Counter(seen["behavior"] for seen in found.values())
    print(f"Autobahn: {len(found)} cases, {dict(counts)}; {len(bad)} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
