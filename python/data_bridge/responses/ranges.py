"""The `Range` field (RFC 9110, 14) as byte ranges of a file. Knows no response."""

from __future__ import annotations

#: Start and end of what is asked for; the end is not part of it.
Span = tuple[int, int]


class MalformedRangeHeader(Exception):
    """A field that is none; answered with 400."""

    def __init__(self, content: str = "Malformed range header.") -> None:
        self.content = content
        super().__init__(content)


class RangeNotSatisfiable(Exception):
    """Nothing of the file is in the range; answered with 416."""

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size
        super().__init__(max_size)


def parse_range(field: str, size: int, most: int) -> list[Span]:
    """Give the spans of a file of ``size`` bytes, ordered and merged; none if there are more than ``most``.

    Raises :class:`MalformedRangeHeader` or :class:`RangeNotSatisfiable`.
    """
    units, equals, wanted = field.partition("=")
    if not equals:
        raise MalformedRangeHeader
    if units.strip().lower() != "bytes":
        raise MalformedRangeHeader("Only support bytes range")
    if wanted.count(",") >= most:
        return []
    spans = [span for part in wanted.split(",") if (span := _span(part, size)) is not None]
    if not spans:
        raise MalformedRangeHeader("Range header: range must be requested")
    if not all(0 <= start < size for start, _ in spans):
        raise RangeNotSatisfiable(size)
    if not all(start < end for start, end in spans):
        raise MalformedRangeHeader("Range header: start must be less than end")
    return _merged(spans)


def _span(part: str, size: int) -> Span | None:
    """Read `first-last`, `first-` or `-length`; None for anything else."""
    first, dash, last = (text.strip() for text in part.strip().partition("-"))
    if not dash or not (first or last):
        return None
    try:
        if not first:
            return max(size - int(last), 0), size
        end = int(last) + 1 if last else size
        return int(first), min(end, size)
    except ValueError:
        return None


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged
