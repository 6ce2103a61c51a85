"""A request's body: from what was received to arguments, and as the one field that describes it."""

from __future__ import annotations

from copy import copy, deepcopy
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

from pydantic import AliasChoices, BaseModel, ConfigDict, GetJsonSchemaHandler, GetPydanticSchema

from data_bridge import params
from data_bridge.defaults import UNREAD
from data_bridge.fields import (
    ModelField,
    Undefined,
    create_body_model,
    get_cached_model_fields,
    get_missing_field_error,
    lenient_issubclass,
)
from data_bridge.utils import create_model_field

from .aliases import _get_param_aliases, get_validation_alias
from .forms import _get_form_model, _get_form_models, extract_form_body, extract_form_model
from .values import _is, validate_value

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

    from .values import Errors


def _should_embed_body_fields(fields: list[ModelField]) -> bool:
    """Whether the body is an object with a member for each field, and not itself the one field."""
    if not fields:
        return False
    if len({field.name for field in fields}) > 1:
        return True
    first, *others = fields
    info = first.field_info
    form_models = _get_form_models(first)
    if form_models and any(
        not _get_form_models(field) or field.field_info.annotation is not info.annotation for field in others
    ):
        return True
    if getattr(info, "embed", None):
        return True
    is_model = lenient_issubclass(info.annotation, BaseModel) or bool(form_models)
    return isinstance(info, params.Form) and not is_model


async def request_body_to_args(
    body_fields: list[ModelField], received_body: Any, embed_body_fields: bool
) -> tuple[dict[str, Any], Errors]:
    """Give the fields' values out of the body: parsed JSON, a form, or bytes of another kind."""
    first = body_fields[0]
    received_body = Undefined if received_body is UNREAD else received_body
    is_form = _is(received_body, "FormData")
    body = received_body
    by_field: dict[str, tuple[str, Any]] = {}
    if is_form:
        body, by_field = await _read_form(body_fields, received_body)
    is_alone = len(body_fields) == 1 and not embed_body_fields and not _should_embed_body_fields(body_fields)
    if is_alone and not _get_form_models(first):
        value, errors = validate_value(field=first, value=body, values={}, loc=("body",))
        return {first.name: value}, errors
    values: dict[str, Any] = {}
    errors = []
    for field in body_fields:
        value, loc = await _member(field, received_body, by_field) if is_form else _json_member(field, body)
        if value is _NO_OBJECT:
            errors.append(get_missing_field_error(loc))
            continue
        value, found = validate_value(field=field, value=value, values=values, loc=loc)
        if found:
            errors += found
        else:
            values[field.name] = value
    return values, errors


#: The body has no members, being a number or a list.
_NO_OBJECT = object()


async def _read_form(body_fields: list[ModelField], received: Any) -> tuple[dict[str, Any], dict[str, tuple[str, Any]]]:
    """Give the form's values by name, and by field those that one asked for."""
    fields = [field for field in body_fields if not _get_form_models(field)]
    by_name: dict[str, Any] = {}
    by_field: dict[str, tuple[str, Any]] = {}
    if fields:
        async for alias, value, field in extract_form_body(fields, received):
            by_name[alias] = value
            if field is not None:
                by_field[field.name] = (alias, value)
    return by_name, by_field


async def _member(
    field: ModelField, received: Any, by_field: dict[str, tuple[str, Any]]
) -> tuple[Any, tuple[str, ...]]:
    models = _get_form_models(field)
    if models:
        return await extract_form_model(field, models, received), ("body",)
    alias, value = by_field.get(field.name, (_get_param_aliases(field)[0][0], Undefined))
    return value, ("body", alias)


def _json_member(field: ModelField, body: Any) -> tuple[Any, tuple[str, ...]]:
    aliases = [alias for alias, _ in _get_param_aliases(field)]
    first = ("body", aliases[0])
    if body is Undefined or isinstance(body, bytes):
        return Undefined, first
    try:
        for alias in aliases:
            value = body.get(alias, Undefined)
            if value is not Undefined:
                return value, ("body", alias)
    except AttributeError:
        return _NO_OBJECT, first
    return Undefined, first


def _get_body_field(*, body_params: list[ModelField], name: str, embed_body_fields: bool) -> ModelField | None:
    """Give the one field that describes the whole body; ``name`` is the operation's."""
    if not body_params:
        return None
    first = body_params[0]
    is_optional_form = any(
        _get_form_models(field) and type(None) in get_args(field.field_info.annotation) for field in body_params
    )
    if not embed_body_fields and not is_optional_form:
        return first
    fields, config = body_params, None
    if any(_get_form_models(field) for field in body_params):
        fields = [_numbered(field, index) for index, field in enumerate(body_params)]
        config = ConfigDict(json_schema_extra=partial(_apply_form_body_schema, body_params))
    model = create_body_model(fields=fields, model_name=f"Body_{name}", config=config)
    if not embed_body_fields:
        info = copy(first.field_info)
        info.annotation = model
        info.metadata = []
        info.discriminator = None
        return ModelField(name=first.name, field_info=info)
    return create_model_field(name="body", type_=model, alias="body", field_info=_body_info(body_params, model))


def _body_info(body_params: list[ModelField], model: type[BaseModel]) -> params.Body:
    """Say of what kind the body with these members is: a file among them makes it multipart."""
    infos = [cast("params.Body", field.field_info) for field in body_params]
    options: dict[str, Any] = {"annotation": model, "alias": "body"}
    if not any(info.is_required() for info in infos):
        options["default"] = None
    kind = next(
        (kind for kind in (params.File, params.Form) if any(isinstance(info, kind) for info in infos)), params.Body
    )
    if kind is not params.File:
        media_types = [info.media_type for info in infos if isinstance(info, kind)]
        if kind is params.Form and "multipart/form-data" in media_types:
            options["media_type"] = "multipart/form-data"
        elif len(set(media_types)) == 1:
            options["media_type"] = media_types[0]
    return kind(**options)


def _numbered(field: ModelField, index: int) -> ModelField:
    """Give the field under a name that no other has, since members of models lie beside each other in a form."""
    info = copy(field.field_info)
    model = _get_form_model(field)
    if model is not None:
        described: Any = Annotated[
            model, GetPydanticSchema(get_pydantic_json_schema=partial(_get_form_model_schema, model))
        ]
        info.annotation = described if info.annotation is model else described | None
    name = f"field_{index}"
    info.alias = info.validation_alias = info.serialization_alias = name
    info.title = info.title or field.name.replace("_", " ").title()
    return ModelField(name=name, field_info=info)


def _get_form_model_schema(
    model: type[BaseModel], core_schema: CoreSchema, handler: GetJsonSchemaHandler
) -> dict[str, Any]:
    """Describe a model with its members under the names that the form may have."""
    schema = handler(core_schema)
    described = handler.resolve_ref_schema(schema)
    renamed = _renamed_members(model, described)
    if not renamed:
        return schema
    described = deepcopy(described)
    required = described.get("required", [])
    described["properties"] = {renamed.get(name, [name])[0]: value for name, value in described["properties"].items()}
    described["required"] = []
    for name in required:
        names = renamed.get(name, [name])
        if len(names) == 1:
            described["required"].append(names[0])
        else:
            described.setdefault("allOf", []).append({"anyOf": [{"required": [each]} for each in names]})
    return described


def _renamed_members(model: type[BaseModel], described: dict[str, Any]) -> dict[str, list[str]]:
    renamed = {}
    for field in get_cached_model_fields(model):
        alias = field.field_info.validation_alias
        name: Any = alias.choices[0] if isinstance(alias, AliasChoices) else get_validation_alias(field)
        names = [alias for alias, _ in _get_param_aliases(field)]
        is_member = isinstance(name, str) and name in described.get("properties", {})
        if is_member and (names[0] != name or (len(names) > 1 and name in described.get("required", []))):
            renamed[name] = names
    return renamed


def _apply_form_body_schema(body_params: list[ModelField], schema: dict[str, Any]) -> None:
    """Describe a form of fields and models: the models' members lie beside the fields."""
    parts = schema.pop("properties")
    schema.pop("required", None)
    properties: dict[str, Any] = {}
    required: list[str] = []
    conditions: list[dict[str, Any]] = []
    for index, field in enumerate(body_params):
        part = parts[f"field_{index}"]
        models = _get_form_models(field)
        if models:
            conditions += _model_conditions(field, models, part)
            continue
        alias = _get_param_aliases(field)[0][0]
        if alias in properties:
            conditions.append({"properties": {alias: part}})
        else:
            properties[alias] = part
        if field.field_info.is_required() and alias not in required:
            required.append(alias)
    schema.update({name: value for name, value in (("properties", properties), ("required", required)) if value})
    schema["allOf"] = conditions


def _model_conditions(field: ModelField, models: list[type[BaseModel]], part: dict[str, Any]) -> list[dict[str, Any]]:
    """Say what a form must fulfil for a model that may be absent: all of it, or nothing."""
    part.pop("default", None)
    if type(None) not in get_args(field.field_info.annotation):
        return [part]
    part["anyOf"] = [choice for choice in part["anyOf"] if choice.get("type") != "null"]
    absent: dict[str, Any] = {}
    if any(model.model_config.get("extra") in ("allow", "forbid") for model in models):
        absent = {"maxProperties": 0}
    else:
        members = (item for model in models for item in get_cached_model_fields(model))
        names = sorted({alias for item in members for alias, _ in _get_param_aliases(item)})
        if names:
            absent = {"not": {"anyOf": [{"required": [name]} for name in names]}}
    if field.field_info.is_required():
        return [{"not": absent}, part]
    return [{"anyOf": [absent, part]}]
