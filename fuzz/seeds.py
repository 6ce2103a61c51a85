"""Where the fuzz target begins: the requests of the conformance cases, each a file of the folder that is named."""

from __future__ import annotations

import json
import sys
from pathlib import Path

CASES = Path(__file__).parents[1] / "tests" / "conformance" / "http1"
#: Longer ones (a head beyond a limit) teach the fuzzer nothing: the target's own limits are narrow.
LONGEST = 1000


def main() -> None:
    """Write the seeds."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("cases.json", "own_cases.json"):
        for case in json.loads((CASES / name).read_text(encoding="utf-8")):
            raw = "".join([case["raw"]] if "raw" in case else case["seg"]).encode("latin-1")
            if len(raw) <= LONGEST:
                (folder / case["id"]).write_bytes(raw)


if __name__ == "__main__":
    main()
