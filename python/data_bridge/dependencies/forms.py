"""Forms: their fields, and models (or unions of models) that stand for a whole form. Knows no JSON."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, Tag

from data_bridge import params
from data_bridge.fields import (
    Undefined,
    get_cached_model_fields,
    is_bytes_or_nonable_bytes_annotation,
    is_bytes_sequence_annotation,
    is_union,
    lenient_issubclass,
    serialize_sequence_value,
    value_is_sequence,
)

from .aliases import _get_param_aliases, _is_json_field, model_of
from .values import _get_multidict_extras, _get_multidict_value

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from data_bridge.fields import ModelField


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _get_form_union_models(annotation: Any) -> list[type[BaseModel]]:
    """Give the models of a union of several, and of nothing else but None."""
    if not is_union(annotation):
        return []
    models = [_bare(part) for part in get_args(annotation) if part is not type(None)]
    return models if len(models) > 1 and all(lenient_issubclass(model, BaseModel) for model in models) else []


def normalize_unions(annotation: Any) -> Any:
    """Let each model of a union read the form by its own fields' names; other annotations stay."""
    if not _get_form_union_models(annotation):
        return annotation
    choices: list[Any] = []
    for choice in get_args(annotation):
        if choice is type(None):
            choices.append(choice)
            continue
        model = _bare(choice)
        said = getattr(choice, "__metadata__", ())
        tag = next((item for item in reversed(said) if isinstance(item, Tag)), Tag(model.__name__))
        choices.append(Annotated[choice, BeforeValidator(partial(_normalize_form_model, model=model)), tag])
    return Union[tuple(choices)]  # noqa: UP007 - of as many as there are


class _Grouped(dict[str, list[Any]]):
    """A form whose values were grouped by name; looks like ``FormData`` to who extracts."""

    def getlist(self, key: str) -> list[Any]:
        """Give all values of the name."""
        return self[key] if key in self else []  # noqa: SIM401 - get() gives the last one only

    def get(self, key: str, default: Any = None) -> Any:
        """Give the name's last value."""
        values = self.getlist(key)
        return values[-1] if values else default

    def multi_items(self) -> list[tuple[str, Any]]:
        """Give all pairs."""
        return [(key, value) for key, values in self.items() for value in values]


_Grouped.__name__ = "FormData"  # What _is() goes by.


def _normalize_form_model(value: Any, *, model: type[BaseModel]) -> Any:
    if not isinstance(value, dict):
        return value
    form = _Grouped({key: items if isinstance(items, list) else [items] for key, items in value.items()})
    normalized = {alias: item for alias, item, _ in _extract_form_items(get_cached_model_fields(model), form)}
    empty = {key: item for key, item in value.items() if item is None or item == []}
    return normalized | empty


def _get_form_models(field: ModelField) -> list[type[BaseModel]]:
    """Give the models that the field takes a whole form for."""
    info = field.field_info
    if not isinstance(info, params.Form) or info.embed or _is_json_field(field):
        return []
    model = model_of(info.annotation)
    return _get_form_union_models(info.annotation) if model is None else [model]


def _get_form_model(field: ModelField) -> type[BaseModel] | None:
    models = _get_form_models(field)
    return models[0] if len(models) == 1 else None


def _extract_form_items(
    body_fields: Sequence[ModelField], received: Mapping[str, Any]
) -> Iterator[tuple[str, Any, ModelField | None]]:
    """Give each field's name and value, then what no field asked for."""
    names: set[str] = set()
    for field in body_fields:
        for alias, _ in _get_param_aliases(field):
            names.add(alias)
            value = _get_multidict_value(field, received, alias=alias)
            if value is not Undefined:
                yield alias, value, field
                break
    for key, value in _get_multidict_extras(received, names):
        yield key, value, None


async def _read_file_bytes(file: Any) -> bytes:
    """Read a file from where it stands, and leave it there for who reads it next."""
    position = file.file.tell()
    try:
        content: bytes = await file.read()
        return content
    finally:
        await file.seek(position)


def _is_file(value: Any) -> bool:
    return hasattr(value, "filename") and hasattr(value, "read")


async def extract_form_body(
    body_fields: Sequence[ModelField], received: Mapping[str, Any]
) -> AsyncIterator[tuple[str, Any, ModelField | None]]:
    """:func:`_extract_form_items`, with files read where bytes are wanted."""
    for alias, value, field in _extract_form_items(body_fields, received):
        content = value
        if field is not None and isinstance(field.field_info, params.File):
            annotation = field.field_info.annotation
            if is_bytes_or_nonable_bytes_annotation(annotation) and _is_file(value):
                content = await _read_file_bytes(value)
            elif is_bytes_sequence_annotation(annotation) and value_is_sequence(value):
                read = [await _read_file_bytes(item) if _is_file(item) else item for item in value]
                content = serialize_sequence_value(field=field, value=read)
        yield alias, content, field


def _is_form_model_supplied(model: type[BaseModel], received: Mapping[str, Any]) -> bool:
    names = {alias for item in get_cached_model_fields(model) for alias, _ in _get_param_aliases(item)}
    takes_all = model.model_config.get("extra") in ("allow", "forbid")
    return bool(names.intersection(received) or (takes_all and received))


async def extract_form_model(field: ModelField, models: list[type[BaseModel]], received: Mapping[str, Any]) -> Any:
    """Give what one of ``models`` is to be made of; ``Undefined`` if it may be None and nothing of it was sent."""
    is_optional = type(None) in get_args(field.field_info.annotation)
    if is_optional and not any(_is_form_model_supplied(model, received) for model in models):
        return Undefined
    # Each model of a union picks its fields itself.
    fields = get_cached_model_fields(models[0]) if len(models) == 1 else []
    return {alias: item async for alias, item, _ in extract_form_body(fields, received)}
