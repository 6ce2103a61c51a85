"""A parameter, a body or a result as Pydantic sees it: one validator and serialiser for one annotation."""

from __future__ import annotations

import inspect
import warnings
from copy import copy
from dataclasses import dataclass, is_dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic.version import VERSION
from pydantic_core import PydanticUndefined

from .annotations import (
    field_annotation_is_scalar,
    is_union,
    lenient_issubclass,
    sequence_annotation_to_type,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

PYDANTIC_VERSION_MINOR_TUPLE = tuple(int(part) for part in VERSION.split(".")[:2])
Undefined = RequiredParam = PydanticUndefined
#: The attributes that a field's adapter takes over; FieldInfo has others, which differ between versions.
_ATTRIBUTES = tuple(name for name in inspect.signature(Field).parameters if hasattr(FieldInfo(), name))


def attributes_of(field_info: FieldInfo) -> dict[str, Any]:
    """Give what ``Field()`` must be called with to say the same."""
    found = {name: getattr(field_info, name, Undefined) for name in _ATTRIBUTES}
    return {name: value for name, value in found.items() if value is not Undefined}


@dataclass
class ModelField:
    """``name``'s annotation and options. ``config`` is that of the model it belongs to, if to one."""

    field_info: FieldInfo
    name: str
    mode: Literal["validation", "serialization"] = "validation"
    config: ConfigDict | None = None

    def __post_init__(self) -> None:
        """Build the adapter; raises what Pydantic raises for an annotation that it cannot take."""
        with warnings.catch_warnings():
            if PYDANTIC_VERSION_MINOR_TUPLE >= (2, 12):
                from pydantic.warnings import UnsupportedFieldAttributeWarning  # noqa: PLC0415 - not in older ones

                warnings.simplefilter("ignore", category=UnsupportedFieldAttributeWarning)
            info = self.field_info
            parts = (info.annotation, *info.metadata, Field(**attributes_of(info)))
            self._type_adapter: TypeAdapter[Any] = TypeAdapter(cast("Any", Annotated[parts]), config=self.config)

    @property
    def alias(self) -> str:
        """The name in the request or the document."""
        alias = self.field_info.alias
        return self.name if alias is None else alias

    @property
    def validation_alias(self) -> str | None:
        """The name in the request where it is another than ``alias``; None for choices and paths."""
        alias = self.field_info.validation_alias
        return alias if isinstance(alias, str) and alias else None

    @property
    def serialization_alias(self) -> str | None:
        """The name in a result where it is another than ``alias``."""
        return self.field_info.serialization_alias or None

    @property
    def default(self) -> Any:
        """The default; ``Undefined`` if a value is required."""
        return self.get_default()

    def get_default(self) -> Any:
        """Give the default, made anew where it is made by a function; ``Undefined`` if a value is required."""
        if self.field_info.is_required():
            return Undefined
        return self.field_info.get_default(call_default_factory=True)

    def validate(
        self,
        value: Any,
        values: dict[str, Any] | None = None,
        *,
        loc: tuple[int | str, ...] = (),
    ) -> tuple[Any, list[dict[str, Any]]]:
        """Give the value and no errors, or None and the errors, their places beginning with ``loc``."""
        try:
            return self._type_adapter.validate_python(value, from_attributes=True), []
        except ValidationError as error:
            return None, with_place(error.errors(include_url=False), loc)

    def serialize(self, value: Any, *, mode: Literal["json", "python"] = "json", **options: Any) -> Any:
        """Give what JSON can carry of ``value``; ``options`` are those of Pydantic's ``dump_python``."""
        options.setdefault("by_alias", True)
        return self._type_adapter.dump_python(value, mode=mode, **options)

    def serialize_json(self, value: Any, **options: Any) -> bytes:
        """Give ``value`` as JSON; ``options`` are those of Pydantic's ``dump_json``."""
        options.setdefault("by_alias", True)
        return self._type_adapter.dump_json(value, **options)

    def __hash__(self) -> int:
        return id(self)


def with_place(errors: Sequence[Any], prefix: tuple[int | str, ...]) -> list[dict[str, Any]]:
    """Put ``prefix`` before each error's place."""
    return [{**error, "loc": (*prefix, *error.get("loc", ()))} for error in errors]


def get_missing_field_error(loc: tuple[int | str, ...]) -> dict[str, Any]:
    """Pydantic's own error for a value that is not there; ``input`` is None, since there was none."""
    return {"type": "missing", "loc": loc, "msg": "Field required", "input": None}


def evaluate_forwardref(
    value: Any, globalns: dict[str, Any] | None = None, localns: dict[str, Any] | None = None
) -> Any:
    """Evaluate an annotation as far as it can be evaluated; what cannot stays a ``ForwardRef``."""
    from pydantic._internal import _typing_extra  # noqa: PLC0415 - private: looked at only where it is needed

    evaluate = getattr(_typing_extra, "try_eval_type", None)
    if evaluate is not None:
        return evaluate(value, globalns, localns)[0]
    return _typing_extra.eval_type_lenient(value, globalns, localns)


def is_scalar_field(field: ModelField) -> bool:
    """Whether the field may come from the path or the query."""
    from data_bridge import params  # noqa: PLC0415 - params builds on this module

    return field_annotation_is_scalar(field.field_info.annotation) and not isinstance(field.field_info, params.Body)


def copy_field_info(*, field_info: FieldInfo, annotation: Any) -> FieldInfo:
    """Give a copy that has also what the annotation says (``Annotated``'s other items)."""
    merged = type(field_info).from_annotation(annotation)
    new = copy(field_info)
    for name, value in attributes_of(merged).items():
        setattr(new, name, value)
    new._attributes_set = merged._attributes_set.copy()
    new.metadata = merged.metadata
    new.annotation = merged.annotation
    return new


def serialize_sequence_value(*, field: ModelField, value: Any) -> Sequence[Any]:
    """Make the sequence that the field's annotation names of the items in ``value``."""
    annotation = field.field_info.annotation
    origin: Any = get_origin(annotation) or annotation
    if is_union(annotation):
        first = next(part for part in get_args(annotation) if part is not type(None))
        origin = get_origin(first) or first
    sequence: Sequence[Any] = sequence_annotation_to_type[origin](value)
    return sequence


def create_body_model(
    *, fields: Sequence[ModelField], model_name: str, config: ConfigDict | None = None
) -> type[BaseModel]:
    """Make the model of a body that has each of ``fields`` as a member."""
    members: dict[str, Any] = {field.name: (field.field_info.annotation, field.field_info) for field in fields}
    model: type[BaseModel] = create_model(model_name, __config__=config, **members)
    return model


def get_model_fields(model: type[BaseModel]) -> list[ModelField]:
    """Give a model's fields, each with an adapter of its own."""
    fields = []
    for name, info in model.model_fields.items():
        has_config = lenient_issubclass(info.annotation, (BaseModel, dict)) or is_dataclass(info.annotation)
        fields.append(ModelField(field_info=info, name=name, config=None if has_config else model.model_config))
    return fields


@lru_cache
def get_cached_model_fields(model: type[BaseModel]) -> list[ModelField]:
    """:func:`get_model_fields`, kept."""
    return get_model_fields(model)
