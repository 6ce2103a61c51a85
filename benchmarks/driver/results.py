"""Results files: one JSON per kind of run, committed when a full run wrote it. Knows nothing of what is in them."""

import json
from pathlib import Path
from typing import Any

from benchmarks.driver.machine import ROOT

FOLDER = ROOT / "benchmarks" / "results"


def path(kind: str, *, quick: bool) -> Path:
    """Where a run's results go: quick ones are for the eye and stay out of git."""
    return FOLDER / (f"quick-{kind}.json" if quick else f"{kind}.json")


def write(kind: str, results: dict[str, Any], *, quick: bool) -> Path:
    """Writes the results; numbers keep six significant digits."""
    file = path(kind, quick=quick)
    file.write_text(json.dumps(_rounded(results), indent=1, ensure_ascii=False) + "\n")
    return file


def read(kind: str, *, quick: bool) -> dict[str, Any] | None:
    """The last results of that kind, or None."""
    file = path(kind, quick=quick)
    return json.loads(file.read_text()) if file.exists() else None


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value
