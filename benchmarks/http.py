"""`python benchmarks/http.py`: servers side by side. Puts the parts of `driver` in order; measures nothing itself."""

import argparse
import sys
from pathlib import Path

# The script's own folder holds a file called http.py, which `import http` must not find.
sys.path.pop(0)
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import render
from benchmarks.driver import (
    campaign,
    environment,
    gil,
    half,
    imports,
    links,
    machine,
    production,
    results,
    startup,
    wrk,
)
from benchmarks.driver.peer import Peer, can, discover
from benchmarks.driver.progress import Progress, say
from benchmarks.scenarios import SCENARIOS

EXTRAS = ("half", "startup", "imports", "gil", "links", "production")


def arguments(peers: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python benchmarks/http.py", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 repetitions of 1 s, to look at; not for the README")
    parser.add_argument("--repeats", type=int, help="repetitions of each entry (default 9)")
    parser.add_argument("--seconds", type=int, help="length of a repetition (default 2)")
    parser.add_argument("--peers", nargs="+", choices=peers, default=peers, metavar="PEER", help=", ".join(peers))
    names = [*SCENARIOS, *EXTRAS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="PART", help=", ".join(names))
    parser.add_argument("--no-syscalls", action="store_true", help="skip the strace runs")
    parser.add_argument("--server-core", type=int, default=0)
    parser.add_argument("--generator-core", type=int, default=1)
    parser.add_argument("--python", help=f"the CPython {environment.WANTED} for .venv-bench (default: the first found)")
    parser.add_argument("--no-build", action="store_true", help="take the data_bridge that .venv-bench has")
    parser.add_argument("--profile", default="release", help="cargo profile of data_bridge's build")
    options = parser.parse_args()
    options.repeats = options.repeats or (3 if options.quick else 9)
    options.seconds = options.seconds or (1 if options.quick else 2)
    return options


def main() -> int:
    """Prepares, measures, writes, renders."""
    peers = discover()
    options = arguments(list(peers))
    for text in machine.missing_tools().items():
        say("missing: {}: {}".format(*text))
    if "wrk" in machine.missing_tools():
        return 1
    try:
        environment.prepare(python=options.python, build=not options.no_build, profile=options.profile)
    except environment.SetupError as error:
        say(str(error))
        return 1
    wrk.raise_file_limit(max(SCENARIOS[name].connections for name in SCENARIOS) + 500)
    chosen = {name: peer for name, peer in peers.items() if name in options.peers}
    found = measure(chosen, options)
    quick = options.quick or len(options.only) < len(SCENARIOS) + len(EXTRAS) or len(chosen) < len(peers)
    say(f"written: {results.write('http', found, quick=quick).relative_to(machine.ROOT)}")
    print(render.report("http", found))
    return 0


def measure(peers: dict[str, Peer], options: argparse.Namespace) -> dict[str, object]:
    """Every chosen scenario, then start-up and the GIL cases."""
    method = campaign.Method(
        repeats=options.repeats,
        seconds=options.seconds,
        server_core=options.server_core,
        generator_core=options.generator_core,
        syscalls=not options.no_syscalls and "strace" not in machine.missing_tools(),
    )
    machine.pin(method.generator_core)
    found: dict[str, object] = {"machine": machine.describe(), "versions": environment.versions()}
    found["method"] = vars(method) | {"profile": options.profile}
    scenarios = [SCENARIOS[name] for name in SCENARIOS if name in options.only]
    plan = [(scenario, [peer for peer in peers.values() if can(peer, scenario)]) for scenario in scenarios]
    able = sum(peer.absent() is None for _, asked in plan for peer in asked)
    progress = Progress(able * method.repeats, "http")
    found["scenarios"] = {scenario.name: campaign.run(scenario, asked, method, progress) for scenario, asked in plan}
    if "half" in options.only:
        found["half"] = half.run(
            peers,
            seconds=3 * method.seconds,
            server_core=options.server_core,
            generator_core=method.generator_core,
            progress=Progress(len(half.PACED), "half"),
        )
    if "startup" in options.only:
        found["startup"] = startup.run(
            peers.values(),
            repeats=method.repeats,
            core=options.server_core,
            idle_seconds=2 if options.quick else 10,
            progress=Progress(method.repeats, "start-up"),
        )
    if "imports" in options.only:
        found["imports"] = imports.run(
            repeats=method.repeats, core=options.server_core, progress=Progress(method.repeats, "imports")
        )
    if "gil" in options.only:
        cases = len(gil.BESIDE) + len(gil.HELD)
        found["gil"] = gil.run(peers, seconds=2 if options.quick else 10, progress=Progress(cases, "GIL"))
    if "links" in options.only:
        found["links"] = links.run(method, Progress(links.STEPS * method.repeats, "links"))
    if "production" in options.only:
        found["production"] = production.run(method, Progress(production.STEPS * method.repeats, "production"))
    return found


if __name__ == "__main__":
    sys.exit(main())
