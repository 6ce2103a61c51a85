"""What routes, fields and the description of an API share: names and statuses. FastAPI's module of this name."""

from __future__ import annotations

import re
import warnings
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from .defaults import DefaultPlaceholder, DefaultType, get_value_or_default
from .exceptions import FastAPIDeprecationWarning, FastAPIError, PydanticV1NotSupportedError

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from .fields import ModelField
    from .routing.api_route import APIRoute

__all__ = [
    "DefaultPlaceholder",
    "DefaultType",
    "create_model_field",
    "deep_dict_update",
    "generate_operation_id_for_path",
    "generate_unique_id",
    "get_path_param_names",
    "get_value_or_default",
    "is_body_allowed_for_status_code",
]

_CLASSES = frozenset(("default", "1XX", "2XX", "3XX", "4XX", "5XX"))
_BODILESS = frozenset((204, 205, 304))


def is_body_allowed_for_status_code(status_code: int | str | None) -> bool:
    """Whether a response with this status (or class of statuses) may have a body."""
    if status_code is None or status_code in _CLASSES:
        return True
    number = int(status_code)
    return number >= HTTPStatus.OK and number not in _BODILESS


def get_path_param_names(path: str) -> set[str]:
    """Give the names in braces, which of a formatted path are the parameters' names."""
    return set(re.findall("{(.*?)}", path))


def create_model_field(
    name: str,
    type_: Any,
    default: Any = ...,
    field_info: FieldInfo | None = None,
    alias: str | None = None,
    mode: Literal["validation", "serialization"] = "validation",
) -> ModelField:
    """Make a field of a type that a route names.

    Raises :class:`~data_bridge.exceptions.FastAPIError` if Pydantic cannot make a field of it.
    """
    from pydantic.fields import FieldInfo  # noqa: PLC0415 - a route without parameters needs no field
    from pydantic_core import PydanticUndefined  # noqa: PLC0415

    from .fields import ModelField, PydanticSchemaGenerationError, annotation_is_pydantic_v1  # noqa: PLC0415

    if annotation_is_pydantic_v1(type_):
        raise PydanticV1NotSupportedError(
            f"pydantic.v1 models are no longer supported by FastAPI. Please update the response model {type_!r}."
        )
    default = PydanticUndefined if default is ... else default
    info = field_info or FieldInfo(annotation=type_, default=default, alias=alias)
    try:
        return ModelField(mode=mode, name=name, field_info=info)
    except PydanticSchemaGenerationError:
        raise FastAPIError(
            f"Invalid args for response field! Hint: check that {type_} is a valid Pydantic field type. "
            "If you are using a return type annotation that is not a valid Pydantic field "
            "(e.g. Union[Response, dict, None]) you can disable generating the response model from the type "
            "annotation with the path operation decorator parameter response_model=None. "
            "Read more: https://fastapi.tiangolo.com/tutorial/response-model/"
        ) from None


def generate_unique_id(route: APIRoute) -> str:
    """Name an operation by its function, path and first method."""
    name = re.sub(r"\W", "_", f"{route.name}{route.path_format}")
    return f"{name}_{next(iter(route.methods)).lower()}"


def generate_operation_id_for_path(*, name: str, path: str, method: str) -> str:
    """Name an operation; kept for those who still call it."""
    warnings.warn(
        "fastapi.utils.generate_operation_id_for_path() was deprecated, "
        "it is not used internally, and will be removed soon",
        category=FastAPIDeprecationWarning,
        stacklevel=2,
    )
    operation = re.sub(r"\W", "_", f"{name}{path}")
    return f"{operation}_{method.lower()}"


def deep_dict_update(main_dict: dict[Any, Any], update_dict: dict[Any, Any]) -> None:
    """Put the second into the first: dictionaries are merged, lists joined, everything else replaced."""
    for key, value in update_dict.items():
        old = main_dict.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            deep_dict_update(old, value)
        elif isinstance(old, list) and isinstance(value, list):
            main_dict[key] = old + value
        else:
            main_dict[key] = value
