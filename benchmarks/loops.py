"""`python benchmarks/loops.py`: event loops side by side. Puts the parts in order; measures nothing itself."""

import argparse
import sys
from pathlib import Path

# The script's own folder holds a file called http.py, which `import http` must not find.
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import render
from benchmarks.driver import environment, machine, results
from benchmarks.driver.progress import say
from benchmarks.loop import campaign
from benchmarks.loop.factories import FACTORIES


def arguments() -> argparse.Namespace:
    """The command line."""
    cases = list(campaign.titles())
    parser = argparse.ArgumentParser(prog="python benchmarks/loops.py", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 short repetitions, to look at; not for the README")
    parser.add_argument("--repeats", type=int, help=f"repetitions of each loop (default {campaign.Method.repeats})")
    parser.add_argument(
        "--scale", type=float, help=f"share of each case's number of operations (default {campaign.Method.scale})"
    )
    loops = list(FACTORIES)
    parser.add_argument("--loops", nargs="+", choices=loops, default=loops, metavar="LOOP", help=", ".join(loops))
    parser.add_argument("--only", nargs="+", choices=cases, default=cases, metavar="CASE", help=", ".join(cases))
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--generator-core", type=int, default=1)
    parser.add_argument("--python", help=f"the CPython {environment.WANTED} for .venv-bench (default: the first found)")
    parser.add_argument("--no-build", action="store_true", help="take the data_bridge that .venv-bench has")
    parser.add_argument("--profile", default="release", help="cargo profile of data_bridge's build")
    options = parser.parse_args()
    options.repeats = options.repeats or (3 if options.quick else campaign.Method.repeats)
    options.scale = options.scale or campaign.Method.scale
    return options


def main() -> int:
    """Prepares, measures, writes, renders."""
    options = arguments()
    try:
        environment.prepare(python=options.python, build=not options.no_build, profile=options.profile)
    except environment.SetupError as error:
        say(str(error))
        return 1
    method = campaign.Method(
        repeats=options.repeats,
        scale=options.scale,
        server_core=options.server_core,
        generator_core=options.generator_core,
    )
    found = {
        "machine": machine.describe(),
        "versions": environment.versions(),
        "method": vars(method) | {"profile": options.profile},
        "titles": campaign.titles(),
        "cases": campaign.run(options.loops, options.only, method),
    }
    partial = len(options.only) < len(campaign.titles()) or len(options.loops) < len(FACTORIES)
    kind = f"loops{environment.SUFFIX}"
    file = results.write(kind, found, quick=options.quick or partial)
    say(f"written: {file.relative_to(machine.ROOT)}")
    print(render.report(kind, found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
