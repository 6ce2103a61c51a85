"""Paths with `{parameters}`: to a pattern and back to a path. Knows no request but its path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .convertors import CONVERTOR_TYPES, Convertor

if TYPE_CHECKING:
    from ..types import Scope

#: `{name}` and `{name:kind}` in a declared path.
PARAM_REGEX = re.compile("{([a-zA-Z_][a-zA-Z0-9_]*)(:[a-zA-Z_][a-zA-Z0-9_]*)?}")

CompiledPath = tuple[re.Pattern[str], str, dict[str, Convertor[Any]]]


def compile_path(path: str) -> CompiledPath:
    """Give the pattern of a declared path, the path with its kinds left out, and the convertors of its parameters.

    A text that does not begin with ``/`` is a host: its case does not matter, and its port is left out.
    Raises ``ValueError`` where two parameters have one name.
    """
    pattern, shape, names, end = "^", "", [], 0
    convertors: dict[str, Convertor[Any]] = {}
    for found in PARAM_REGEX.finditer(path):
        name, kind = found[1], (found[2] or ":str")[1:]
        assert kind in CONVERTOR_TYPES, f"Unknown path convertor '{kind}'"  # noqa: S101 - the type that users know
        names.append(name)
        convertors[name] = CONVERTOR_TYPES[kind]
        literal = path[end : found.start()]
        if names.count(name) == 1:
            pattern += f"{re.escape(literal)}(?P<{name}>{convertors[name].regex})"
        shape += f"{literal}{{{name}}}"
        end = found.end()
    _refuse_duplicates(path, names)
    rest = path[end:]
    if path.startswith("/"):
        return re.compile(f"{pattern}{re.escape(rest)}$"), shape + rest, convertors
    host = rest if rest.endswith("]") else rest.rsplit(":", 1)[0]
    return re.compile(f"{pattern}{re.escape(host)}$", re.IGNORECASE), shape + rest, convertors


def _refuse_duplicates(path: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"Duplicated param name{'s' if len(twice) > 1 else ''} {', '.join(twice)} at path {path}")


def match_path(regex: re.Pattern[str], convertors: dict[str, Convertor[Any]], text: str) -> dict[str, Any] | None:
    """Give the parameters' values where ``text`` fits."""
    found = regex.match(text)
    if found is None:
        return None
    return {name: convertors[name].convert(value) for name, value in found.groupdict().items()}


def replace_params(
    path: str, param_convertors: dict[str, Convertor[Any]], path_params: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Put values into the path. Gives it and the values that it has no place for."""
    remaining = dict(path_params)

    def text_of(found: re.Match[str]) -> str:
        name = found[1]
        return param_convertors[name].to_string(remaining.pop(name)) if name in remaining else found[0]

    return PARAM_REGEX.sub(text_of, path), remaining


def get_route_path(scope: Scope) -> str:
    """Give the path below the place where the app is mounted."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    below = path[len(root) :] if root and path.startswith(root) else None
    # A root path ends where a segment ends: /api is no root of /apis.
    return below if below is not None and below[:1] in ("", "/") else path
