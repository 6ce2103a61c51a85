"""From a request's path, query, header and cookies to arguments, or to the errors that say why not."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, cast

from data_bridge.fields import (
    Undefined,
    field_annotation_is_sequence,
    get_cached_model_fields,
    get_missing_field_error,
)

from .aliases import _get_param_aliases, _get_param_model, _is_json_field

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic import BaseModel

    from data_bridge import params
    from data_bridge.fields import ModelField

    Errors = list[dict[str, Any]]


def _is(values: Any, name: str) -> bool:
    """Whether it is a collection of this name, ours or Starlette's, or derives from one."""
    return any(base.__name__ == name for base in type(values).__mro__)


def _is_empty_file_input(value: Any) -> bool:
    """Whether it is what a browser sends for a file input in which no file was chosen."""
    return getattr(value, "filename", None) == "" and getattr(value, "size", None) == 0


def validate_value(
    *, field: ModelField, value: Any, values: dict[str, Any], loc: tuple[str, ...]
) -> tuple[Any, Errors]:
    """Validate what was received, or take the default."""
    if value is Undefined:
        if field.field_info.is_required():
            return None, [get_missing_field_error(loc=loc)]
        value = deepcopy(field.default)
        if not field.field_info.validate_default:
            return value, []
    return field.validate(value, values, loc=loc)


def _get_multidict_value(field: ModelField, values: Mapping[str, Any], alias: str) -> Any:
    """Give what was received under this name; what is empty in a form, or a list of nothing, was not."""
    is_form = _is(values, "FormData")
    wants_several = field_annotation_is_sequence(field.field_info.annotation)
    value: Any
    if wants_several and hasattr(values, "getlist") and not _is_json_field(field):
        value = values.getlist(alias)
        if is_form:
            value = [item for item in value if not _is_empty_file_input(item)]
    else:
        value = values.get(alias)
    if value is None or (is_form and (value == "" or _is_empty_file_input(value))):
        return Undefined
    return Undefined if wants_several and len(value) == 0 else value


def _get_multidict_extras(received: Mapping[str, Any], processed: set[str]) -> Iterator[tuple[str, Any]]:
    """Give what no field asked for, several values of one name as a list."""
    if hasattr(received, "multi_items"):
        items = received.multi_items()
    elif hasattr(received, "getlist"):
        items = received.items()  # Header fields: one pair for each line.
    else:
        yield from ((name, received.get(name)) for name in received if name not in processed)
        return
    grouped: dict[str, list[Any]] = {}
    for name, value in items:
        if name not in processed:
            grouped.setdefault(name, []).append(value)
    for name, values in grouped.items():
        yield name, values[0] if len(values) == 1 else values


class _ModelInput:
    """What was received for a model of parameters."""

    def __init__(self, received: Mapping[str, Any], *, convert_underscores: bool) -> None:
        self.received = received
        self.is_header = _is(received, "Headers")
        self.convert_underscores = convert_underscores
        self.values: dict[str, Any] = {}
        self.processed: set[str] = set()
        self.own_names: set[str] = set()
        #: By a field's name: the hyphened one under which it stands in the header.
        self.hyphened: dict[str, str] = {}

    def take(self, field: ModelField) -> None:
        """Look for the field under each of its names."""
        converts = self.is_header and getattr(field.field_info, "convert_underscores", self.convert_underscores)
        aliases = _get_param_aliases(field, convert_underscores=converts)
        self.own_names.update(name.lower() if self.is_header else name for _, name in aliases)
        alias, request_alias = next((pair for pair in aliases if pair[1] in self.received), aliases[0])
        value = _get_multidict_value(field, self.received, alias=request_alias)
        if value is not Undefined:
            self.values[alias] = value
        if not self.is_header:
            self.processed.add(request_alias)
            return
        self.processed.add(request_alias.lower())
        self.processed.update(name.lower() for name, header in aliases if name != header)
        if alias != request_alias:
            self.hyphened[field.name] = request_alias

    def place(self, loc: tuple[Any, ...]) -> tuple[Any, ...]:
        """Name the place of an error as the client knows it."""
        return (loc[0], self.hyphened[loc[1]], *loc[2:]) if len(loc) > 1 and loc[1] in self.hyphened else loc


def _request_param_model_to_args(
    model_field: ModelField, model: type[BaseModel], received: Mapping[str, Any]
) -> tuple[Any, Errors]:
    """Make the model that stands for all parameters of one place."""
    info = cast("params.Param", model_field.field_info)
    found = _ModelInput(received, convert_underscores=getattr(info, "convert_underscores", True))
    for field in get_cached_model_fields(model):
        found.take(field)
    found.values.update(_get_multidict_extras(received, found.processed))
    value: Any = found.values
    # A model that may be None is None if nothing of it was sent.
    takes_all = model.model_config.get("extra") in ("allow", "forbid") and value
    if info.annotation is not model and not (found.own_names.intersection(received) or takes_all):
        value = Undefined
    validated, errors = validate_value(field=model_field, value=value, values={}, loc=(info.in_.value,))
    if found.hyphened and model.model_config.get("loc_by_alias", True):
        for error in errors:
            error["loc"] = found.place(error["loc"])
    return validated, errors


def request_params_to_args(
    fields: Sequence[ModelField], received_params: Mapping[str, Any]
) -> tuple[dict[str, Any], Errors]:
    """Give the fields' values out of one place of a request, and the errors of those that have none."""
    values: dict[str, Any] = {}
    errors: Errors = []
    for field in fields:
        model = _get_param_model(field)
        if model is not None:
            value, found = _request_param_model_to_args(field, model, received_params)
        else:
            value, found = _param_to_arg(field, received_params, values)
        if found:
            errors += found
        else:
            values[field.name] = value
    return values, errors


def _param_to_arg(field: ModelField, received: Mapping[str, Any], values: dict[str, Any]) -> tuple[Any, Errors]:
    info = cast("params.Param", field.field_info)
    aliases = _get_param_aliases(field)
    _, alias = next((pair for pair in aliases if pair[1] in received), aliases[0])
    value = _get_multidict_value(field, received, alias=alias)
    return validate_value(field=field, value=value, values=values, loc=(info.in_.value, alias))
