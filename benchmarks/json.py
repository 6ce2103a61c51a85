"""`python benchmarks/json.py`: JSON libraries side by side. Puts the parts in order; measures nothing itself."""

import argparse
import sys
from pathlib import Path

# The script's own folder holds this file, which `import json` must not find.
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import render
from benchmarks.documents import campaign
from benchmarks.documents.libraries import LIBRARIES
from benchmarks.driver import environment, machine, results
from benchmarks.driver.progress import say


def arguments() -> argparse.Namespace:
    """The command line."""
    documents, libraries = list(campaign.titles()), list(LIBRARIES)
    parser = argparse.ArgumentParser(prog="python benchmarks/json.py", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5 samples, to look at; not for the README")
    parser.add_argument("--repeats", type=int, help="samples of each library and document (default 15)")
    parser.add_argument("--directions", nargs="+", choices=campaign.DIRECTIONS, default=campaign.DIRECTIONS)
    parser.add_argument("--libraries", nargs="+", choices=libraries, default=libraries, metavar="LIBRARY")
    parser.add_argument("--only", nargs="+", choices=documents, default=documents, metavar="DOCUMENT")
    parser.add_argument("--core", type=int, default=0, help="the core that the timing is tied to")
    parser.add_argument("--python", help=f"the CPython {environment.WANTED} for .venv-bench (default: the first found)")
    parser.add_argument("--no-build", action="store_true", help="take the data_bridge that .venv-bench has")
    parser.add_argument("--profile", default="release", help="cargo profile of data_bridge's build")
    options = parser.parse_args()
    options.repeats = options.repeats or (5 if options.quick else 15)
    return options


def main() -> int:
    """Prepares, measures, writes, renders."""
    options = arguments()
    try:
        environment.prepare(
            python=options.python, build=not options.no_build, profile=options.profile, features="testing"
        )
    except environment.SetupError as error:
        say(str(error))
        return 1
    found = {
        "machine": machine.describe(),
        "versions": environment.versions(),
        "method": {"repeats": options.repeats, "profile": options.profile},
        "titles": campaign.titles(),
        **campaign.run(options.directions, options.only, options.libraries, options.repeats, options.core),
        "fairness": campaign.fairness(1.0 if options.quick else 4.0),
    }
    partial = len(options.only) < len(campaign.titles()) or len(options.directions) < len(campaign.DIRECTIONS)
    partial = partial or len(options.libraries) < len(LIBRARIES)
    file = results.write("json", found, quick=options.quick or partial)
    say(f"written: {file.relative_to(machine.ROOT)}")
    print(render.report("json", found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
