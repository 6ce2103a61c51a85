"""What may be read from pydantic-core's schemas: which are plain scalars, which run code of the user's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .types import Scalar

Schema = dict[str, Any]

#: Nodes for which JSON and Python input are not validated alike.
_UNLIKE = frozenset({"decimal", "timedelta", "complex", "json-or-python", "lax-or-strict", "is-instance"})


def is_scalar(schema: Any) -> Scalar | None:
    """Give the scalar that a core schema without constraints describes (or that or None, which text never is)."""
    while schema.get("type") in ("default", "nullable"):
        schema = schema["schema"]
    plain = not schema.keys() - {"type", "metadata", "ref"}
    kind = schema["type"]
    return cast("Scalar", kind) if plain and kind in ("str", "int", "float", "bool", "uuid") else None


def reads_json_alike(schema: Any) -> bool:
    """Say whether JSON is validated with the same result as what Python's `json` makes of it."""
    return not any(node.get("strict") or node.get("type") in _UNLIKE for node in _nodes(schema))


def runs_user_code(schema: Any) -> bool:
    """Say whether validating by a core schema calls functions that are not Pydantic's own."""
    return any(_calls(node) for node in _nodes(schema))


def _calls(node: Schema) -> bool:
    kind = str(node.get("type", ""))
    if kind.startswith("function-") or kind == "call":
        function = node.get("function")
        function = function.get("function") if isinstance(function, dict) else function
        return not str(getattr(function, "__module__", "")).startswith("pydantic")
    if kind in ("model", "dataclass"):
        after = getattr(node.get("cls"), str(node.get("post_init")), None) if node.get("post_init") else None
        own = str(getattr(after, "__module__", "")).startswith("pydantic")
        return bool(node.get("custom_init")) or (after is not None and not own)
    return bool(node.get("missing")) and kind == "enum"


def _nodes(schema: Any) -> Iterator[Schema]:
    """Every dict in a core schema: its nodes, and some that are none and do no harm."""
    if isinstance(schema, dict):
        yield schema
        for key, value in schema.items():
            if key not in ("metadata", "serialization"):
                yield from _nodes(value)
    elif isinstance(schema, (list, tuple)):
        for item in schema:
            yield from _nodes(item)
