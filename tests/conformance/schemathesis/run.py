"""`make conformance-schemathesis`: requests that schemathesis makes from an OpenAPI document, to us and to uvicorn.

The rich app of tests/plan answers each the same: status, fields, bytes. It runs under uvicorn, under our server,
and there as our own App, with its import changed; the requests are made from that one's document. Prints how many cases
were sent, how they were answered and what differed. schemathesis is installed once, beside the test environment.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "conformance" / "fastapi")]

from examples import changed  # noqa: E402 - found by the line above
from tests.support import servers  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

RELEASE = "schemathesis==4.32.5"
APPS = ROOT / "tests" / "plan" / "apps"
SEEDED = {"PYTHONHASHSEED": "0"}
#: Written by each server in its own way.
OWN = {"date", "server", "connection"}
#: These wait for other requests, or change what the app is.
LEFT_OUT = "^/(log|frames|clock|override|routes|slow)"


def install(folder: Path) -> None:
    """Puts schemathesis into `folder`, where it is not there, and makes it importable."""
    ready = folder / "complete.txt"
    if not ready.exists() or ready.read_text(encoding="utf-8") != RELEASE:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", str(folder), RELEASE]
        subprocess.run(command, check=True)
        ready.write_text(RELEASE, encoding="utf-8")
    sys.path.append(str(folder))


def cases(document: dict[str, Any], count: int) -> Iterator[Any]:
    """About `count` cases, right and wrong ones, spread over all operations; the same at each call."""
    import schemathesis

    schema = schemathesis.openapi.from_dict(document).exclude(path_regex=LEFT_OUT)
    operations = [operation.ok() for operation in schema.get_all_operations()]
    bare = [operation for operation in operations if not (operation.body or list(operation.iter_parameters()))]
    # What takes nothing is asked a few times; the rest share what is left.
    each = (count - 2 * len(bare)) // (len(operations) - len(bare)) + 1
    for operation in operations:
        if operation in bare:
            yield from drawn(operation.as_strategy(), 2)
            continue
        wrong = drawn(operation.as_strategy(schemathesis.GenerationMode.NEGATIVE), each // 2)
        yield from wrong
        yield from drawn(operation.as_strategy(), each - len(wrong) + 10)  # some that no client sends are among them


def drawn(strategy: Any, count: int) -> list[Any]:
    """`count` values, or as many as there are."""
    from hypothesis import HealthCheck, Phase, errors, given, settings

    made: list[Any] = []
    quiet = {"suppress_health_check": list(HealthCheck), "database": None, "deadline": None}

    @settings(max_examples=count, derandomize=True, phases=[Phase.generate], **quiet)
    @given(value=strategy)
    def collect(value: Any) -> None:
        made.append(value)

    with contextlib.suppress(errors.Unsatisfiable):  # nothing that is sent to it can be wrong
        collect()
    return made


def answer(base: str, prepared: requests.PreparedRequest) -> Any:
    """What a server says to a request, without what it says of itself; on a connection of its own."""
    prepared = prepared.copy()
    prepared.url = base + str(prepared.url).removeprefix("http://server")
    with requests.Session() as session:
        got = session.send(prepared, allow_redirects=False, timeout=servers.PATIENCE)
    fields = [(name.lower(), value.replace(base, "http://server")) for name, value in got.headers.items()]
    return got.status_code, sorted(field for field in fields if field[0] not in OWN), got.content


@contextlib.contextmanager
def own(apps: Path) -> Iterator[Path]:
    """A folder with the same apps, but with our imports."""
    with tempfile.TemporaryDirectory() as folder:
        for path in apps.glob("*.py"):
            (Path(folder) / path.name).write_text(changed(path.read_text(encoding="utf-8")), encoding="utf-8")
        yield Path(folder)


def main() -> int:
    """Asks both servers; gives 1 where an answer differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000, help="how many requests to make")
    parser.add_argument("--out", type=Path, default=Path("target/conformance"), help="folder for schemathesis")
    options = parser.parse_args()
    install(options.out.resolve() / "schemathesis" / "packages")
    warnings.simplefilter("ignore")
    counts: collections.Counter[Any] = collections.Counter()
    differ: collections.Counter[str] = collections.Counter()
    with (
        own(APPS) as folder,
        servers.data_bridge("rich:app", "--no-access-log", app_dir=folder, env=SEEDED) as app,
        servers.data_bridge("rich:app", "--no-access-log", app_dir=APPS, env=SEEDED) as ours,
        servers.uvicorn("rich:app", "--no-access-log", app_dir=APPS, env=SEEDED) as theirs,
    ):
        document = requests.get(app.url + "/openapi.json", timeout=servers.PATIENCE).json()
        for case in cases(document, options.cases):
            try:
                prepared = requests.Request(**case.as_transport_kwargs(base_url="http://server")).prepare()
            except (requests.RequestException, UnicodeError):  # the client itself refuses it
                counts["not sent"] += 1
                continue
            expected = answer(theirs.url, prepared)
            counts[expected[0]] += 1
            for name, server in (("FastAPI on our server", ours), ("App", app)):
                got = answer(server.url, prepared)
                if got != expected:
                    differ[name] += 1
                    print(f"{prepared.method} {prepared.url}\n  {prepared.headers} {prepared.body!r}")
                    print(f"  {name}: {got}\n  uvicorn: {expected}")
    sent = sum(count for status, count in counts.items() if status != "not sent")
    print(f"{sent} cases, answered otherwise than under uvicorn: {dict(differ) or 'none'}; by status: {dict(counts)}")
    return 1 if differ or sent < options.cases else 0


if __name__ == "__main__":
    sys.exit(main())
