"""Under which names a field may come, and when a field is a whole model of parameters. Knows no request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pydantic import AliasChoices, AliasPath, BaseModel, Json

from data_bridge import params
from data_bridge.fields import get_cached_model_fields, is_union, lenient_issubclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data_bridge.fields import ModelField


def model_of(annotation: Any) -> type[BaseModel] | None:
    """Give the model that the annotation is, or is beside None."""
    if is_union(annotation):
        others = [part for part in get_args(annotation) if part is not type(None)]
        if len(others) == 1:
            annotation = others[0]
    return annotation if lenient_issubclass(annotation, BaseModel) else None


def _is_json_field(field: ModelField) -> bool:
    """Whether the value is a text that is parsed as JSON."""
    return any(type(item) is Json for item in field.field_info.metadata)


def _get_param_model(field: ModelField) -> type[BaseModel] | None:
    """Give the model whose fields are the parameters, if the field stands for such."""
    annotation: Any = field.field_info.annotation
    if isinstance(field.field_info, (params.Query, params.Header, params.Cookie)):
        annotation = model_of(annotation)
    return annotation if lenient_issubclass(annotation, BaseModel) and not _is_json_field(field) else None


def _get_flat_fields_from_params(fields: Sequence[ModelField]) -> list[ModelField]:
    """Put the fields of models in the models' places."""
    flat: list[ModelField] = []
    for field in fields:
        model = _get_param_model(field)
        flat += [field] if model is None else get_cached_model_fields(model)
    return flat


def get_validation_alias(field: ModelField) -> str:
    """Give the name under which Pydantic wants the value."""
    return getattr(field, "validation_alias", None) or field.alias


def _get_param_aliases(field: ModelField, *, convert_underscores: bool = False) -> list[tuple[str, str]]:
    """Give each name that the field may have: for Pydantic, and in the request."""
    alias = get_validation_alias(field)
    hyphened = alias.replace("_", "-") if convert_underscores and alias == field.name else alias
    names = [(alias, hyphened)]
    choices = field.field_info.validation_alias
    if isinstance(field.field_info, params.Path) or isinstance(choices, AliasPath):
        return names
    if isinstance(choices, AliasChoices):
        texts = [choice for choice in choices.choices if isinstance(choice, str)]
        if len(texts) < len(choices.choices):
            return names
        names = [(choice, choice) for choice in texts]
    return _with_own_name(field, names, convert_underscores=convert_underscores)


def _with_own_name(
    field: ModelField, names: list[tuple[str, str]], *, convert_underscores: bool
) -> list[tuple[str, str]]:
    """Add the field's own name where its model is configured to be filled by names."""
    config = field.config or {}
    own = (field.name, field.name.replace("_", "-") if convert_underscores else field.name)
    if config.get("validate_by_alias") is False:
        return [own]
    by_name = config.get("validate_by_name", config.get("populate_by_name", False))
    return [*names, own] if by_name and all(name != field.name for name, _ in names) else names
