"""What an operation takes, described: parameters, body, security. Knows no response."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from data_bridge.defaults import Unset
from data_bridge.dependencies.aliases import _get_flat_fields_from_params, _get_param_aliases, _get_param_model
from data_bridge.dependencies.models import (
    _get_cache_key,
    _get_oauth_scopes,
    _get_security_scheme,
    _is_security_scheme,
)
from data_bridge.encoders import jsonable_encoder
from data_bridge.params import ParamTypes

if TYPE_CHECKING:
    from data_bridge.dependencies.models import Dependant
    from data_bridge.fields import ModelField
    from data_bridge.openapi.schemas import Schemas


@dataclass(slots=True)
class Inputs:
    """What a route and all its dependencies take, each dependency counted once."""

    fields: dict[ParamTypes, list[ModelField]] = field(default_factory=dict)
    schemes: list[tuple[Dependant, list[str]]] = field(default_factory=list)

    @classmethod
    def of(cls, root: Dependant) -> Inputs:
        """Walk the dependencies depth first, in the order of their parameters; scopes flow down."""
        found = cls({kind: [] for kind in (ParamTypes.path, ParamTypes.query, ParamTypes.header, ParamTypes.cookie)})
        seen = set()
        waiting: list[tuple[Dependant, list[str]]] = [(root, [])]
        while waiting:
            dependant, inherited = waiting.pop()
            key = _get_cache_key(dependant=dependant)
            if key in seen:
                continue
            seen.add(key)
            for kind, fields in found.fields.items():
                fields.extend(getattr(dependant, f"{kind.value}_params"))
            scopes = list(dict.fromkeys([*inherited, *_get_oauth_scopes(dependant=dependant)]))
            if dependant is not root and _is_security_scheme(dependant=dependant):
                found.schemes.append((dependant, scopes))
            waiting += [(needed, scopes) for needed in reversed(dependant.dependencies)]
        return found

    def any_parameter(self) -> bool:
        """Whether there is a parameter that a request could get wrong."""
        return any(_get_flat_fields_from_params(fields) for fields in self.fields.values())

    def security(self) -> tuple[dict[str, Any], list[dict[str, list[str]]]]:
        """Give the definitions of the schemes by name, and what the operation asks of each."""
        definitions: dict[str, Any] = {}
        asked: dict[str, list[str]] = {}
        for dependant, scopes in self.schemes:
            scheme = _get_security_scheme(dependant=dependant)
            definitions[scheme.scheme_name] = jsonable_encoder(scheme.model, by_alias=True, exclude_none=True)
            asked[scheme.scheme_name] = list(dict.fromkeys([*asked.get(scheme.scheme_name, []), *scopes]))
        return definitions, [{name: scopes} for name, scopes in asked.items()]

    def parameters(self, schemas: Schemas) -> list[dict[str, Any]]:
        """Describe the parameters. Of several with one place and name the last stands, a required one before others."""
        described = [
            parameter
            for kind, fields in self.fields.items()
            for parent in fields
            if getattr(parent.field_info, "include_in_schema", True)
            for parameter in _parameters_of(parent, kind, schemas)
        ]
        by_name = {(parameter["in"], parameter["name"]): parameter for parameter in described}
        by_name |= {(parameter["in"], parameter["name"]): parameter for parameter in described if parameter["required"]}
        return list(by_name.values())


def _parameters_of(parent: ModelField, kind: ParamTypes, schemas: Schemas) -> list[dict[str, Any]]:
    """Describe one parameter, or one for each field of a model whose fields are parameters."""
    model, info = _get_param_model(parent), parent.field_info
    optional_model = model is not None and info.annotation is not model and not info.is_required()
    hyphens = getattr(info, "convert_underscores", True)
    return [
        _parameter(param, kind, schemas, hyphens, optional_model) for param in _get_flat_fields_from_params([parent])
    ]


def _parameter(
    param: ModelField, kind: ParamTypes, schemas: Schemas, hyphens: bool, optional_model: bool
) -> dict[str, Any]:
    info = param.field_info
    hyphens = kind is ParamTypes.header and getattr(info, "convert_underscores", hyphens)
    alias, name = _get_param_aliases(param, convert_underscores=hyphens)[0]
    described: dict[str, Any] = {
        "name": name,
        "in": kind.value,
        "required": info.is_required() and not optional_model,
        "schema": schemas.of(param, alias),
    }
    if info.description:
        described["description"] = info.description
    described |= _examples(info)
    if info.deprecated:
        described["deprecated"] = True
    return described


def _examples(info: Any) -> dict[str, Any]:
    if several := getattr(info, "openapi_examples", None):
        return {"examples": jsonable_encoder(several)}
    one = getattr(info, "example", Unset)
    return {} if one is Unset else {"example": jsonable_encoder(one)}


def request_body(body: ModelField | None, schemas: Schemas) -> dict[str, Any] | None:
    """Describe the body, if the route has one."""
    if body is None:
        return None
    info: Any = body.field_info
    content = {"schema": schemas.of(body)} | _examples(info)
    required = {"required": True} if info.is_required() else {}
    return required | {"content": {info.media_type: content}}
