"""`python benchmarks/render.py`: results as tables, between `<!-- bench:begin NAME -->` and `<!-- bench:end NAME -->`.

Names: what `TABLES` lists. Knows how figures are shown, not how they are taken.
"""

import argparse
import re
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # see http.py
    sys.path.pop(0)
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.driver import production, results
from benchmarks.driver.machine import ROOT
from benchmarks.scenarios import SCENARIOS
from benchmarks.targets import TARGETS, Results, Target, faster

DOCUMENTS = (ROOT / "README.md", ROOT / "benchmarks" / "README.md")
PACKAGES = {
    "http": (
        "fastapi",
        "uvicorn",
        "uvloop",
        "granian",
        "robyn",
        "socketify",
        "django-bolt",
        "litestar",
        "blacksheep",
        "flask",
        "gunicorn",
    ),
    "loops": ("uvloop", "rloop", "zuvloop"),
    "loops-3.14": ("uvloop", "rloop", "zuvloop"),
    "json": ("orjson", "msgspec", "pydantic_core"),
}
MARKERS = re.compile(r"(<!-- bench:begin ([\w.-]+) -->\n).*?(<!-- bench:end \2 -->)", re.DOTALL)
Rows = list[list[str]]


def table(head: list[str], rows: Rows) -> str:
    """A Markdown table: the first column to the left, figures to the right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def number(value: float | None) -> str:
    """Three significant digits, no exponent."""
    if value is None:
        return "–"
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def overview(found: Results) -> str:
    """CPU µs per request: peers down, scenarios across."""
    measured = found["http"]["scenarios"]
    scenarios = [name for name in SCENARIOS if name in measured and not name.startswith("routes-")]
    titles = {
        peer: record["title"] for name in scenarios for peer, record in measured[name].items() if "title" in record
    }
    rows = [[title, *(number(_cpu(measured[name].get(peer))) for name in scenarios)] for peer, title in titles.items()]
    head = ["CPU µs per request", *(SCENARIOS[name].title for name in scenarios)]
    return table(head, rows) + _absent(measured, {name: SCENARIOS[name].title for name in measured})


def details(found: Results) -> str:
    """One table for each scenario."""
    return "\n\n".join(
        f"**{SCENARIOS[name].title}**, {SCENARIOS[name].connections:,} connections\n\n{_scenario(records)}"
        for name, records in found["http"]["scenarios"].items()
    )


def _scenario(records: dict[str, Any]) -> str:
    head = [
        "",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "at once",
        "CPU µs",
        "core busy",
        "syscalls",
        "threads",
        "RSS idle MB",
        "after MB",
        "failed",
    ]
    rows = []
    for record in records.values():
        if "absent" in record:
            continue
        median = record["median"]
        latencies = (number(median[key] / 1e3) for key in ("p50_us", "p99_us", "p999_us"))
        calls = sum(record["syscalls"].values()) if "syscalls" in record else None
        memory = (number(record[key] / 1e6) for key in ("rss_idle", "rss_after"))
        cost = (number(median["cpu_us"]), f"{median['busy']:.0%}", number(calls), number(median["threads"]))
        rows.append(
            [
                record["title"],
                number(median["rps"]),
                *latencies,
                number(median.get("at_once")),
                *cost,
                *memory,
                number(record["failed"]),
            ]
        )
    return table(head, rows)


def startup(found: Results) -> str:
    """Cold start, memory and idle CPU of the smallest apps."""
    rows = [
        [
            record["title"],
            number(record.get("cold_start_ms")),
            number(record["rss"] / 1e6 if "rss" in record else None),
            f"{record['idle_cpu']:.2%}" if "idle_cpu" in record else "–",
        ]
        for record in found["http"]["startup"].values()
        if "absent" not in record
    ]
    return table(["", "first answer after ms", "RSS MB", "idle CPU"], rows)


def half(found: Results) -> str:
    """Latencies at half of a server's saturation rate, and of another at the same pace."""
    records = [record for record in found["http"]["half"].values() if "absent" not in record]
    rows = [
        [f"{name}, paced at half of {record['title']}'s {number(record['saturation'])}/s"]
        + [number(record[name][key]) for key in ("rps", "p50_ms", "p99_ms", "failed")]
        for record in records
        for name in record.keys() - {"title", "saturation"}
    ]
    return table(["GET JSON", "requests/s", "p50 ms", "p99 ms", "failed"], sorted(rows))


def production_table(found: Results) -> str:
    """CPU µs per request by group and entry, then who is absent."""
    measured = found["http"]["production"]
    titles = {name: group.title for name, group in production.GROUPS.items() if name in measured}
    rows = [
        [f"{title}: {record['title']}"]
        + [number(record["median"][key]) for key in ("cpu_us", "rps")]
        + [f"{record['median']['busy']:.0%}", number(record["failed"])]
        for name, title in titles.items()
        for record in measured[name].values()
        if "absent" not in record
    ]
    return table(["", "CPU µs", "requests/s", "core busy", "failed"], rows) + _absent(measured, titles)


def gil(found: Results) -> str:
    """Latencies while another thread wants or holds the interpreter."""
    what = {"beside": "beside a CPU-bound thread", "held": "while the GIL is held for 2 s"}
    rows = [
        [
            f"{record['title']}, {case.partition('/')[2]}",
            what[kind],
            *(number(record[key]) for key in ("p50_ms", "p99_ms", "max_ms")),
        ]
        for kind, cases in found["http"]["gil"].items()
        for case, record in cases.items()
        if "absent" not in record
    ]
    return table(["", "", "p50 ms", "p99 ms", "slowest ms"], rows)


def loops(found: Results, kind: str = "loops") -> str:
    """CPU ns per operation: cases down, loops across."""
    data = found[kind]
    names = list(next(iter(data["cases"].values())))
    rows = []
    for case, records in data["cases"].items():
        unit = "per_second" if case == "echo_burn" else "ns"
        title = data["titles"][case] + (" (messages/s)" if unit == "per_second" else "")
        rows.append([title, *(number(records[name].get("median", {}).get(unit)) for name in names)])
    return table(["CPU ns per operation", *names], rows)


def json_table(direction: str, title: str, beside: str = "orjson") -> Callable[[Results], str]:
    """µs per call in one direction: documents down, libraries across, and how much faster than another ours is."""

    def table_of(found: Results) -> str:
        data = found["json"]
        names = [name for name, entry in next(iter(data[direction].values()))["libraries"].items() if "median" in entry]
        rows = []
        for document, record in data[direction].items():
            medians = {name: entry.get("median") for name, entry in record["libraries"].items()}
            cells = [number(ns / 1e3 if (ns := medians[name]) else None) for name in names]
            rows.append([data["titles"][document], f"{record['bytes']:,}", *cells, number(faster(record, beside))])
        ratios = [ratio for record in data[direction].values() if (ratio := faster(record, beside))]
        mean = number(statistics.geometric_mean(ratios) if ratios else None)
        rows.append(["geometric mean", *[""] * (len(names) + 1), mean])
        return table([f"{title}: µs per call", "bytes", *names, f"{beside} ÷ data_bridge"], rows)

    return table_of


def json_fairness(found: Results) -> str:
    """What a thread that sleeps 10 ms keeps of its pace beside reading and writing 1 MB documents."""
    shares = found["json"]["fairness"]
    cells = [[f"{kept[case]:.0%}" if case in kept else "–" for case in ("loads", "dumps")] for kept in shares.values()]
    rows = [[library, *line] for library, line in zip(shares, cells, strict=True)]
    return table(["kept of a sleeping thread's pace", "loads", "dumps"], rows)


def targets(found: Results) -> str:
    """Target, figure, held or missed."""
    return _judged([(target, *target.judge(found)) for target in TARGETS])


def missed(found: Results) -> str:
    """How many targets are held, and those that are not."""
    judged = [(target, *target.judge(found)) for target in TARGETS]
    measured = [row for row in judged if row[1] is not None]
    left = [row for row in measured if not row[2].startswith("held")]
    summary = f"{len(measured) - len(left)} of {len(measured)} targets that were measured are held."
    return f"{summary} The others:\n\n{_judged(left)}" if left else summary


def _judged(rows: list[tuple[Target, float | None, str]]) -> str:
    cells = [
        [target.title, f"≤ {target.limit:.3g} {target.unit}".rstrip(), number(figure), verdict]
        for target, figure, verdict in rows
    ]
    return table(["", "target", "figure", ""], cells)


def conditions(found: Results) -> str:
    """The machine and the versions, one line for each kind of run."""
    lines = []
    for kind, data in found.items():
        machine, versions, method = data["machine"], data["versions"], data["method"]
        packages = PACKAGES[kind]
        shown = ", ".join(f"{name} {versions[name]}" for name in packages if name in versions)
        tools = ", ".join(f"{name} {version}" for name, version in machine["tools"].items()) if kind == "http" else ""
        lines.append(
            f"{kind}: {machine['date'][:10]}, commit {machine['commit']}, {machine['cores']} × {machine['cpu']}, "
            f"Linux {machine['kernel']}, CPython {versions['python']}, {shown}{', ' + tools if tools else ''}; "
            f"median of {method['repeats']} interleaved repetitions."
        )
    return "\n".join(lines)


TABLES: dict[str, Callable[[Results], str]] = {
    "conditions": conditions,
    "targets": targets,
    "missed": missed,
    "http": overview,
    "http-details": details,
    "half": half,
    "startup": startup,
    "production": production_table,
    "gil": gil,
    "loops": loops,
    "loops-3.14": lambda found: loops(found, "loops-3.14"),
    "json-loads": json_table("loads", "loads"),
    "json-dumps": json_table("dumps", "dumps"),
    "json-respond": json_table("respond", "into a connection's output (orjson: `bytes`)"),
    "json-models": json_table("models", "Pydantic models", "pydantic_core"),
    "json-fairness": json_fairness,
}

#: The tables of a kind of run.
REPORTS = {
    "http": ("http", "http-details", "half", "startup", "production", "gil"),
    "loops": ("loops",),
    "loops-3.14": ("loops-3.14",),
    "json": ("json-loads", "json-dumps", "json-respond", "json-models", "json-fairness"),
}


def report(kind: str, found: dict[str, Any]) -> str:
    """Everything about one run, for the terminal."""
    parts = [text for name in ("conditions", *REPORTS[kind], "targets") if (text := _render(name, {kind: found}))]
    return "\n\n".join(parts)


def fill(document: str, found: Results) -> str:
    """The document with every table between its markers renewed; a table without results keeps what it has."""

    def renew(match: re.Match[str]) -> str:
        begin, name, end = match.groups()
        if name not in TABLES:
            raise SystemExit(f"no table is called {name!r}; there are: {', '.join(TABLES)}")
        text = _render(name, found)
        return f"{begin}{text}\n{end}" if text else match[0]

    return MARKERS.sub(renew, document)


def _render(name: str, found: Results) -> str:
    try:
        return TABLES[name](found)
    except KeyError:
        return ""


def _cpu(record: dict[str, Any] | None) -> float | None:
    return record["median"]["cpu_us"] if record and "median" in record else None


def _absent(measured: dict[str, Any], titles: dict[str, str]) -> str:
    """Who was asked and could not take part, and why: one line for each peer and reason."""
    missing: dict[tuple[str, str], list[str]] = {}
    for name, records in measured.items():
        for peer, record in records.items():
            if "absent" in record:
                missing.setdefault((peer, record["absent"]), []).append(titles[name])
    lines = [f"* {peer} ({', '.join(names)}): {reason}" for (peer, reason), names in missing.items()]
    return "\n\nAbsent:\n" + "\n".join(lines) if lines else ""


def main() -> int:
    """Renders the last full results (or the quick ones) into the documents."""
    parser = argparse.ArgumentParser(prog="python benchmarks/render.py", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "documents", nargs="*", type=Path, default=DOCUMENTS, help="default: README.md and benchmarks/README.md"
    )
    parser.add_argument("--quick", action="store_true", help="take the quick results")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a document is not up to date")
    options = parser.parse_args()
    found = {kind: data for kind in REPORTS if (data := results.read(kind, quick=options.quick))}
    stale = []
    for document in filter(Path.exists, options.documents):
        text = document.read_text()
        if (renewed := fill(text, found)) != text:
            stale.append(document)
            if not options.check:
                document.write_text(renewed)
    for document in stale:
        print(f"{'out of date' if options.check else 'renewed'}: {document}")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
