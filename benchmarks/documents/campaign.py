"""Every document in every library, one process for each document. Knows the method, not the documents."""

import json
import statistics
import subprocess
from typing import Any

from benchmarks.documents.corpus import DOCUMENTS, MODELS
from benchmarks.driver.environment import PYTHON
from benchmarks.driver.machine import ROOT, pin
from benchmarks.driver.progress import Progress

DIRECTIONS = ("loads", "dumps", "respond", "models")


def run(directions: list[str], documents: list[str], libraries: list[str], repeats: int, core: int) -> dict[str, Any]:
    """Direction → document → size, and library → median and samples in ns per call."""
    steps = [(direction, document) for direction in directions for document in _of(direction) if document in documents]
    progress = Progress(len(steps), "json")
    found: dict[str, Any] = {direction: {} for direction in directions}
    for direction, document in steps:
        worker = ("benchmarks.documents.worker", direction, document, str(repeats), *libraries)
        record = _python(*worker, core=core)
        for library in record["libraries"].values():
            if "ns" in library:
                library["median"] = statistics.median(library["ns"])
        found[direction][document] = record
        progress.step(f"{direction} {document}")
    return found


def fairness(seconds: float) -> dict[str, Any]:
    """Library → direction → share of its idle count that a sleeping thread keeps. Not pinned."""
    return _python("benchmarks.documents.fairness", str(seconds), core=None)


def titles() -> dict[str, str]:
    """The documents by name, in the order of the tables."""
    return {name: title for name, (title, _) in [*DOCUMENTS.items(), *MODELS.items()]}


def _of(direction: str) -> list[str]:
    return list(MODELS if direction == "models" else DOCUMENTS)


def _python(module: str, *arguments: str, core: int | None) -> dict[str, Any]:
    done = subprocess.run(
        [str(PYTHON), "-m", module, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        timeout=600,
        check=True,
        preexec_fn=None if core is None else lambda: pin(core),
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result
