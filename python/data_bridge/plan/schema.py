"""Validators and serialisers for annotations.

Those of the built-in types are made of pydantic-core's schemas as they stand: an application that has no models does
not wait until Pydantic's schema generator is imported, which takes longer than all the rest of its start.
"""

from __future__ import annotations

import builtins
import inspect
import types
import typing
import uuid
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, NamedTuple, Union, cast

from pydantic_core import SchemaSerializer, SchemaValidator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.plugin._schema_validator import PluggableSchemaValidator

    from .types import Scalar

Schema = dict[str, Any]

#: The schemas that `TypeAdapter` makes of these.
_PLAIN: dict[Any, Schema] = {
    Any: {"type": "any"},
    str: {"type": "str"},
    int: {"type": "int"},
    float: {"type": "float"},
    bool: {"type": "bool"},
    uuid.UUID: {"type": "uuid"},
    type(None): {"type": "none"},
    dict: {"type": "dict", "keys_schema": {"type": "any"}, "values_schema": {"type": "any"}},
    list: {"type": "list", "items_schema": {"type": "any"}},
}

#: Nodes for which JSON and Python input are not validated alike.
_UNLIKE = frozenset({"decimal", "timedelta", "complex", "json-or-python", "lax-or-strict", "is-instance"})


class Adapter(NamedTuple):
    """What Pydantic makes of an annotation."""

    schema: Any
    validator: SchemaValidator | PluggableSchemaValidator
    serializer: SchemaSerializer

    def validate(self, value: Any) -> Any:
        """Give the valid form of ``value``. Raises ``pydantic_core.ValidationError``."""
        return self.validator.validate_python(value, from_attributes=True)

    def to_json(self, value: Any) -> bytes:
        """Write a valid value as JSON."""
        return self.serializer.to_json(value, by_alias=True)

    def reads_json_alike(self) -> bool:
        """Say whether JSON is validated with the same result as what Python's `json` makes of it."""
        return reads_json_alike(self.schema)


def adapt(annotation: Any) -> Adapter:
    """Make the adapter of an annotation. Raises ``pydantic.PydanticUserError`` where Pydantic cannot."""
    annotation = Any if annotation is inspect.Parameter.empty else annotation
    schema = _plain_schema(annotation)
    if schema is not None:
        return Adapter(schema, SchemaValidator(schema), SchemaSerializer(schema))
    from pydantic import TypeAdapter  # noqa: PLC0415 - see above

    adapter = TypeAdapter(annotation)
    adapter.rebuild()
    return Adapter(adapter.core_schema, adapter.validator, adapter.serializer)


def without_none(annotation: Any) -> Any:
    """``T`` of ``T | None``; every other annotation as it is."""
    if typing.get_origin(annotation) in (Union, types.UnionType):
        members = [member for member in typing.get_args(annotation) if member is not type(None)]
        if len(members) == 1 and len(members) < len(typing.get_args(annotation)):
            return members[0]
    return annotation


def _plain_schema(annotation: Any) -> Schema | None:
    """Give the core schema of built-in types and of their lists, dicts and optionals; None for everything else."""
    inner = without_none(annotation)
    if inner is not annotation:
        schema = _plain_schema(inner)
        return schema and {"type": "nullable", "schema": schema}
    match typing.get_origin(annotation), [_plain_schema(argument) for argument in typing.get_args(annotation)]:
        case None, []:
            return dict(_PLAIN[annotation]) if isinstance(annotation, Hashable) and annotation in _PLAIN else None
        case builtins.list, [dict(items)]:
            return {"type": "list", "items_schema": items}
        case builtins.dict, [dict(keys), dict(values)]:
            return {"type": "dict", "keys_schema": keys, "values_schema": values}
    return None


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
