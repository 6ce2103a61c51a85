"""`make h2spec`: the suite h2spec, strict, against our server over TLS and over clear text.

Where ``h2spec`` is not on PATH, it is installed by ``go install``; where there is no Go either, this says so and ends
well. Figures to reach: 146 of 146 over TLS; over clear text all but 3.5/2, where an invalid preface is a bad request of
HTTP/1.1, and is answered as such. Takes two minutes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support import servers
from tests.support.certificates import Authority

HERE = Path(__file__).parent
PACKAGE = "github.com/summerwind/h2spec/cmd/h2spec@latest"
COUNTS = re.compile(r"(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed")
#: What may fail over clear text.
ALLOWED = "Sends invalid connection preface"


def program(folder: Path) -> str | None:
    """Give the suite's program, installed into `folder` on first use."""
    found = shutil.which("h2spec")
    if found:
        return found
    installed = folder / "h2spec"
    if installed.exists():
        return str(installed)
    go = shutil.which("go")
    environment = {**os.environ, "GOBIN": str(folder.resolve())}
    if go and subprocess.run([go, "install", PACKAGE], env=environment, check=False).returncode == 0:
        return str(installed)
    print("skipped: h2spec is not on PATH, and could not be installed (it needs Go)")
    return None


def run(program: str, server: servers.Server) -> tuple[int, int, list[str]]:
    """Run the suite; gives how many cases there are, how many passed, and the names of those that failed."""
    command = [program, "--strict", "--timeout", "5", "--host", server.host, "--port", str(server.port)]
    if server.scheme == "https":
        command += ["--tls", "--insecure"]
    output = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    counts = COUNTS.search(output)
    if counts is None:
        raise SystemExit(output)
    failed = [line.strip() for line in output.partition("Failures:")[2].splitlines() if "× " in line]
    return int(counts[1]), int(counts[2]), failed


def main() -> int:
    """Print the counts and every case that failed."""
    folder = Path("target/conformance/http2")
    folder.mkdir(parents=True, exist_ok=True)
    suite = program(folder)
    if suite is None:
        return 0
    lost = 0
    with tempfile.TemporaryDirectory() as temporary:
        certificate = Authority(Path(temporary)).issue("server", "localhost", "127.0.0.1")
        for title, flags in (("TLS", certificate.flags), ("clear text", ())):
            with servers.data_bridge("plain:app", "--no-access-log", *flags, app_dir=HERE) as server:
                count, passed, failed = run(suite, server)
            allowed = [name for name in failed if not flags and ALLOWED in name]
            lost += count - passed - len(allowed)
            print(f"h2spec, strict, over {title}: {passed} of {count} passed")
            for name in failed:
                print(f"  {'expected' if name in allowed else 'FAILED'}: {name}")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
