"""`make soak`: what must stay flat however long it goes on, each part in a process of its own.

Every part does its work, looks at its memory and descriptors twenty times, and fails if the second half of the work
has left something. `--tenth` does a tenth of everything; names run those parts alone.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

#: How much of each is done; of `children`, in at most ten minutes; of `server`, for so many seconds.
PARTS = {
    "wakeups": 10_000_000,
    "connections": 1_000_000,
    "loops": 20_000,
    "children": 100_000,
    "restarts": 20_000,
    "replaced": 100,
    "saves": 10,
    "server": 600,
}


def main() -> int:
    """Runs the parts, one after another; the exit code says whether all held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenth", action="store_true")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help=" ".join(PARTS))
    options = parser.parse_args()
    failed = []
    for part in options.parts or PARTS:
        total = max(PARTS[part] // 10, 10) if options.tenth else PARTS[part]
        if subprocess.run([sys.executable, str(HERE / f"{part}.py"), str(total)], check=False).returncode:
            failed.append(part)
    print("failed: " + ", ".join(failed) if failed else "all flat")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
