"""A JSON body's values: from bytes to what the endpoint takes. Raises where FastAPI itself has to decide."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from ..plan.schema import reads_json_alike
from .fields import NotCompiled, adapter_of, aliases_of

if TYPE_CHECKING:
    from collections.abc import Callable

_ABSENT = object()


class _Part(NamedTuple):
    """A body parameter: ``aliases`` are its names in the document, None where it is the document."""

    field: Any
    aliases: tuple[str, ...] | None
    validate: Callable[..., Any]

    def value(self, document: Any) -> Any:
        sent = document if self.aliases is None else self._find(document)
        if sent is not _ABSENT:
            return self.validate(sent, from_attributes=True)
        if self.field.field_info.is_required():
            raise ValueError("a required value is missing")
        return copy.deepcopy(self.field.default)

    def _find(self, document: Any) -> Any:
        if document is _ABSENT:
            return _ABSENT
        if not isinstance(document, dict):
            raise TypeError("not an object")
        return next((document[alias] for alias in self.aliases or () if alias in document), _ABSENT)


def acceptor(fields: list[Any], *, embed: bool) -> tuple[Callable[[bytes], Any], bool]:
    """Give what makes the values of ``fields`` from a body, and whether that is pydantic-core alone.

    For one field it gives the value, for more of them a list. Raises :class:`NotCompiled`.
    """
    for field in fields:
        if not field.field_info.is_required() and field.field_info.validate_default:
            raise NotCompiled(f"the default of {field.name!r} is validated for each request")
    parts = [
        _Part(field, aliases_of(field) if embed else None, adapter_of(field).validator.validate_python)
        for field in fields
    ]
    first = fields[0]
    if len(fields) == 1 and not embed and first.field_info.is_required():
        adapter = adapter_of(first)
        if reads_json_alike(adapter.core_schema):
            return adapter.validator.validate_json, True

    def accept(content: bytes) -> Any:
        document = json.loads(content) if content else _ABSENT
        values = [part.value(document) for part in parts]
        return values[0] if len(values) == 1 else values

    return accept, False
