"""Folders whose files the server serves itself, as settings name them, and what their files are. Serving is Rust's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def paired(static: Sequence[str], routes: Sequence[str], mounts: Sequence[str]) -> list[tuple[str, str]]:
    """Give each path with its folder. Raises ``ValueError``."""
    pairs = [_pair(text) for text in static]
    if mounts:
        if len(routes) != len(mounts):
            raise ValueError(
                f"static_path_route names {len(routes)} path(s) for {len(mounts)} folder(s) of static_path_mount"
            )
        pairs += zip(routes, mounts, strict=True)
    for path, folder in pairs:
        if not path.startswith("/"):
            raise ValueError(f"static: a path begins with a slash, not as {path!r} does")
        if not Path(folder).is_dir():
            raise ValueError(f"static: {folder!r} (for {path}) is no folder")
    return pairs


def _pair(text: str) -> tuple[str, str]:
    path, equals, folder = text.partition("=")
    if not equals:
        raise ValueError(f"static must be /path=folder, not {text!r}")
    return path, folder


def media_types() -> dict[str, str]:
    """Give the types of files by the ends of their names, as Python knows them; texts are UTF-8."""
    import mimetypes  # noqa: PLC0415 - reads the system's tables, for those who serve files

    mimetypes.init()
    types = {end.lstrip(".").lower(): kind for end, kind in mimetypes.types_map.items()}
    return {end: f"{kind}; charset=utf-8" if kind.startswith("text/") else kind for end, kind in types.items()}
