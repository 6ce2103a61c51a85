"""How far each route of an app was compiled, and why not further: what `data-bridge routes` prints."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

from ..adapters import CONSTANT, NATIVE, framework_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .types import Operation

#: What each tier means, as the table's foot says it.
TIERS = {
    "T0": "answered without the interpreter",
    "T1": "Rust extracts and validates, calls the function, writes the response",
    "T2": "the same, with dependencies or the request between",
    "T3": "answered by the reference path, or by the app itself",
}


class Unexplained(Exception):
    """The app is of a kind that has no routes that we know of."""


class Row(NamedTuple):
    """One route of the table."""

    methods: str
    path: str
    tier: str
    why: str


def explain(app: Any) -> list[Row]:
    """Give the routes of a :class:`data_bridge.App` or a FastAPI app. Raises :class:`Unexplained` for others."""
    if framework_of(app) is not None:
        from ..adapters.serve import explain as explain_adapted  # noqa: PLC0415 - needs the framework

        return list(_rows_of(*explain_adapted(app)))
    raise Unexplained(f"{app!r} is neither a data_bridge.App nor a FastAPI app: it is called as plain ASGI")


def render(rows: Iterable[Row]) -> str:
    """Make the table's text."""
    table = [Row("METHODS", "PATH", "TIER", "WHY NOT FURTHER"), *rows]
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    used = sorted({row.tier for row in table[1:]})
    return "\n".join([*lines, "", *(f"{tier}: {TIERS[tier]}" for tier in used)])


def _rows_of(found: Iterable[Any], obstacle: str | None) -> Iterator[Row]:
    for path, methods, operation, why in found:
        if why in (CONSTANT, NATIVE):
            yield Row(" ".join(methods) or "-", path, "T0", "")
            continue
        yield Row(" ".join(methods) or "-", path or "-", *_tier(operation, obstacle or "", why))


def _tier(operation: Operation | None, obstacle: str, why: str) -> tuple[str, str]:
    if operation is None:
        return "T3", why
    if obstacle:
        return "T2", obstacle
    if not operation.steps[:-1] and inspect.isfunction(operation.accept):
        return "T2", "its body is read in Python"
    if operation.direct is not None:
        return "T1", ""
    return "T2", "it has dependencies" if operation.is_native else "it needs the request, its response or a generator"
