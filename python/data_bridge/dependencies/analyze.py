"""What a parameter of a signature is: a field of which kind, a dependency, or special. Needs Pydantic."""

from __future__ import annotations

import dataclasses
import inspect
from copy import copy
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from data_bridge import params
from data_bridge.exceptions import DeclarationError, require
from data_bridge.fields import (
    ModelField,
    RequiredParam,
    Undefined,
    copy_field_info,
    field_annotation_is_scalar,
    field_annotation_is_scalar_sequence,
    is_scalar_field,
    is_uploadfile_or_nonable_uploadfile_annotation,
    is_uploadfile_sequence_annotation,
)
from data_bridge.utils import create_model_field

from .aliases import model_of
from .forms import normalize_unions
from .special import kind_of

if TYPE_CHECKING:
    from .models import Dependant

Empty = inspect.Signature.empty


@dataclasses.dataclass
class ParamDetails:
    """What a parameter is: a dependency, a field, or neither and by its type special."""

    type_annotation: Any
    depends: params.Depends | None
    field: ModelField | None


def analyze_param(*, param_name: str, annotation: Any, value: Any, path_param_names: set[str]) -> ParamDetails:
    """Say what a parameter is, by its annotation and default."""
    is_path_param = param_name in path_param_names
    # `type X = ...` stands for what it names.
    if hasattr(annotation, "__value__") and type(annotation).__name__ == "TypeAliasType":
        annotation = annotation.__value__
    whole = Any if annotation is Empty else annotation
    bare = get_args(whole)[0] if get_origin(whole) is Annotated else whole
    field_info, depends = _declaration(param_name, whole, bare, value, is_path_param)
    if depends is not None and depends.dependency is None:
        depends = dataclasses.replace(depends, dependency=bare)
    if depends is None and kind_of(bare) is not None:
        require(field_info is None, f"Cannot specify FastAPI annotation for type {bare!r}")
    elif depends is None and field_info is None:
        field_info = _inferred(whole, bare, value, is_path_param)
    field = None if field_info is None else _field(param_name, whole, field_info, path_param_names)
    return ParamDetails(type_annotation=bare, depends=depends, field=field)


def _declaration(
    param_name: str, whole: Any, bare: Any, value: Any, is_path_param: bool
) -> tuple[FieldInfo | None, params.Depends | None]:
    """Give what is said of the parameter: in ``Annotated``, where the last word counts, or as its default."""
    said = None
    if get_origin(whole) is Annotated:
        kinds = (params.Param, params.Body, params.Depends)
        said = next((item for item in reversed(get_args(whole)[1:]) if isinstance(item, kinds)), None)
    field_info = _annotated(param_name, said, whole, value, is_path_param) if isinstance(said, FieldInfo) else None
    depends = said if isinstance(said, params.Depends) else None
    if isinstance(value, params.Depends):
        require(
            depends is None, f"Cannot specify `Depends` in `Annotated` and default value together for {param_name!r}"
        )
        require(
            field_info is None,
            "Cannot specify a FastAPI annotation in `Annotated` and `Depends` as a default value "
            f"together for {param_name!r}",
        )
        depends = value
    elif isinstance(value, FieldInfo):
        require(
            field_info is None,
            f"Cannot specify FastAPI annotations in `Annotated` and default value together for {param_name!r}",
        )
        field_info = value
        field_info.annotation = bare
    return field_info, depends


def _annotated(param_name: str, said: FieldInfo, whole: Any, value: Any, is_path_param: bool) -> FieldInfo:
    info = copy_field_info(field_info=said, annotation=whole)
    require(
        info.default in (Undefined, ...),
        f"`{type(info).__name__}` default value cannot be set in `Annotated` for {param_name!r}. "
        "Set the default value with `=` instead.",
    )
    if value is Empty:
        info.default = RequiredParam
    else:
        require(not is_path_param, "Path parameters cannot have default values")
        info.default = value
    return info


def _inferred(whole: Any, bare: Any, value: Any, is_path_param: bool) -> FieldInfo:
    """Guess what a parameter is: of the path, a file, a body or of the query."""
    default = RequiredParam if value is Empty else value
    info: FieldInfo
    if is_path_param:
        # A default of a parameter that the path always has is never used.
        info = params.Path(annotation=whole)
    elif is_uploadfile_or_nonable_uploadfile_annotation(bare) or is_uploadfile_sequence_annotation(bare):
        info = params.File(default, annotation=whole)
    elif not field_annotation_is_scalar(bare):
        info = params.Body(default, annotation=whole)
    else:
        info = params.Query(default, annotation=whole)
    if get_origin(whole) is Annotated:
        given = info.default
        info = copy_field_info(field_info=info, annotation=whole)
        info.default = given
        if is_path_param:
            info.default_factory = None
    return info


def _field(param_name: str, whole: Any, field_info: FieldInfo, path_param_names: set[str]) -> ModelField:
    is_path_param = param_name in path_param_names
    if is_path_param:
        require(
            isinstance(field_info, params.Path),
            f"Cannot use `{type(field_info).__name__}` for path param {param_name!r}",
        )
    elif isinstance(field_info, params.Param) and getattr(field_info, "in_", None) is None:
        field_info.in_ = params.ParamTypes.query
    if isinstance(field_info, params.Form):
        field_info.annotation = normalize_unions(field_info.annotation)
    field_info = _with_choice_of(path_param_names, field_info)
    field_info.alias = _alias(param_name, field_info)
    field = create_model_field(
        name=param_name, type_=whole, default=field_info.default, alias=field_info.alias, field_info=field_info
    )
    if is_path_param:
        require(is_scalar_field(field), "Path params must be of one of the supported types")
    elif isinstance(field_info, params.Query):
        annotation = field_info.annotation
        is_plain = is_scalar_field(field) or field_annotation_is_scalar_sequence(annotation)
        require(
            is_plain or model_of(annotation) is not None,
            f"Query parameter {param_name!r} must be one of the supported types",
        )
    return field


def _alias(param_name: str, field_info: FieldInfo) -> str:
    if not field_info.alias and getattr(field_info, "convert_underscores", None):
        return param_name.replace("_", "-")
    return field_info.alias or param_name


def _with_choice_of(path_param_names: set[str], field_info: FieldInfo) -> FieldInfo:
    """Of a path parameter's possible names the one that the path has."""
    choices = field_info.validation_alias
    if not isinstance(field_info, params.Path) or not isinstance(choices, AliasChoices):
        return field_info
    if not all(isinstance(choice, str) for choice in choices.choices):
        return field_info
    chosen = next((choice for choice in choices.choices if choice in path_param_names), None)
    if chosen is None:
        return field_info
    field_info = copy(field_info)
    field_info.validation_alias = chosen
    return field_info


def add_param_to_fields(*, field: ModelField, dependant: Dependant) -> None:
    """Put the field to its kind."""
    info = field.field_info
    if isinstance(info, params.Body):
        dependant.body_params.append(field)
        return
    fields = {
        params.ParamTypes.path: dependant.path_params,
        params.ParamTypes.query: dependant.query_params,
        params.ParamTypes.header: dependant.header_params,
        params.ParamTypes.cookie: dependant.cookie_params,
    }.get(getattr(info, "in_", None))  # type: ignore[arg-type]
    if fields is None:
        raise DeclarationError(f"non-body parameters must be in path, query, header or cookie: {field.name}")
    fields.append(field)
