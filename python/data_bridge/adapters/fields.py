"""A parameter of a framework's as a parameter of the plan. Knows neither routes nor requests."""

from __future__ import annotations

import copy
import types
import typing
from typing import TYPE_CHECKING, Any, Union

from ..plan.schema import is_scalar, runs_user_code
from ..plan.types import Param

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import TypeAdapter

    from ..plan.types import Place


class NotCompiled(Exception):
    """The plan does not cover this; the text says what."""


#: Types that may be a default without a copy for each request.
_IMMUTABLE = (str, bytes, int, float, bool, type(None))


def param_of(framework: Any, field: Any, place: Place, in_path: dict[str, str]) -> Param:
    """Compile a field that is no model. Raises :class:`NotCompiled`."""
    adapter = adapter_of(field)
    aliases = aliases_of(field)
    info = field.field_info
    many = is_list(framework, field)
    if many and place in ("path", "cookie"):
        raise NotCompiled(f"{place} parameter {field.name!r} is a list")
    index, scalar = None, is_scalar(adapter.core_schema)
    if place == "path":
        if aliases[0] not in in_path:
            raise NotCompiled(f"path parameter {field.name!r} is not in the path")
        index = list(in_path).index(aliases[0])
        # FastAPI validates what the converter made of the text.
        converter = in_path[aliases[0]]
        if converter not in ("str", "path") and scalar != converter:
            raise NotCompiled(f"path parameter {field.name!r} has the converter {converter!r} of another type")
    required = info.is_required()
    if not required and info.validate_default:
        raise NotCompiled(f"the default of {field.name!r} is validated for each request")
    default, make_default = (None, None) if required else default_of(field)
    return Param(
        name=field.name,
        place=place,
        aliases=tuple(alias.lower() for alias in aliases) if place == "header" else aliases,
        path_index=index,
        scalar="unknown" if many else scalar or "unknown",
        many=many,
        required=required,
        default=default,
        make_default=make_default,
        validate=adapter.validator.validate_python,
    )


def adapter_of(field: Any) -> TypeAdapter[Any]:
    """Give the validator of a field. Raises :class:`NotCompiled` where the user's code would take part.

    Validators of the user's run once and in FastAPI's order: a refusal after one would run it again.
    """
    adapter: TypeAdapter[Any] | None = getattr(field, "_type_adapter", None)
    if adapter is None:
        raise NotCompiled("this release of FastAPI keeps its validators elsewhere")
    if runs_user_code(adapter.core_schema):
        raise NotCompiled(f"{field.name!r} has a validator in Python")
    return adapter


def default_of(field: Any) -> tuple[Any, Callable[[], Any] | None]:
    """Give the default, or what makes one for each request."""
    info = field.field_info
    if info.default_factory is None and isinstance(info.default, _IMMUTABLE):
        return info.default, None
    return None, lambda: copy.deepcopy(field.default)


def aliases_of(field: Any) -> tuple[str, ...]:
    """Give a field's names in the request, the preferred one first. Raises :class:`NotCompiled`."""
    from pydantic import AliasChoices, AliasPath  # noqa: PLC0415 - a route without fields needs no Pydantic

    validation_alias = field.field_info.validation_alias
    if isinstance(validation_alias, AliasPath):
        raise NotCompiled(f"{field.name!r} has an alias that is a path")
    if isinstance(validation_alias, AliasChoices):
        if not all(isinstance(choice, str) for choice in validation_alias.choices):
            raise NotCompiled(f"{field.name!r} has an alias that is a path")
        return tuple(str(choice) for choice in validation_alias.choices)
    return (validation_alias or field.alias,)


def is_model(field: Any) -> bool:
    """Say whether a parameter is a model, whose fields are the request's parameters."""
    from pydantic import BaseModel  # noqa: PLC0415 - see above

    return any(isinstance(arm, type) and issubclass(arm, BaseModel) for arm in _arms(field.field_info.annotation))


def is_list(framework: Any, field: Any) -> bool:
    """Say whether a parameter takes all values of its name."""
    if framework.field_annotation_is_sequence is None or framework.is_json_field is None:
        raise NotCompiled("this release of FastAPI tells lists in another way")
    is_sequence = framework.field_annotation_is_sequence(field.field_info.annotation)
    return bool(is_sequence) and not framework.is_json_field(field)


def _arms(annotation: Any) -> list[Any]:
    """Give the members of a union, without their annotations."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _arms(typing.get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [arm for member in typing.get_args(annotation) for arm in _arms(member)]
    return [annotation if origin is None else origin]
