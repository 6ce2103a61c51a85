"""What endpoints need: from signatures to graphs, from graphs and requests to arguments.

``models`` and ``special`` say what a callable takes, ``build`` and ``analyze`` read it from its signature, ``solve``
finds it. What has to do with fields needs Pydantic, and is imported by the first one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..later import importer

if TYPE_CHECKING:
    from .aliases import (
        _get_flat_fields_from_params,
        _get_param_aliases,
        _get_param_model,
        _is_json_field,
        get_validation_alias,
    )
    from .analyze import ParamDetails, add_param_to_fields, analyze_param
    from .body import _get_body_field, _should_embed_body_fields, request_body_to_args
    from .build import get_dependant, get_parameterless_sub_dependant
    from .flat import _get_flat_body_params, flatten, get_flat_params
    from .forms import _get_form_model, _get_form_models, _read_file_bytes
    from .models import Dependant
    from .signatures import get_stream_item_type, get_typed_annotation, get_typed_return_annotation, get_typed_signature
    from .solve import SolvedDependency, solve_dependencies
    from .special import add_non_field_param_to_dependency
    from .values import request_params_to_args

__all__ = [
    "Dependant",
    "ParamDetails",
    "SolvedDependency",
    "_get_body_field",
    "_get_flat_body_params",
    "_get_flat_fields_from_params",
    "_get_form_model",
    "_get_form_models",
    "_get_param_aliases",
    "_get_param_model",
    "_is_json_field",
    "_read_file_bytes",
    "_should_embed_body_fields",
    "add_non_field_param_to_dependency",
    "add_param_to_fields",
    "analyze_param",
    "flatten",
    "get_dependant",
    "get_flat_params",
    "get_parameterless_sub_dependant",
    "get_stream_item_type",
    "get_typed_annotation",
    "get_typed_return_annotation",
    "get_typed_signature",
    "get_validation_alias",
    "request_body_to_args",
    "request_params_to_args",
    "solve_dependencies",
]

#: Where each name is; its module is imported when it is asked for.
_LATER = {
    "Dependant": ".models",
    "ParamDetails": ".analyze",
    "SolvedDependency": ".solve",
    "_get_body_field": ".body",
    "_get_flat_body_params": ".flat",
    "_get_flat_fields_from_params": ".aliases",
    "_get_form_model": ".forms",
    "_get_form_models": ".forms",
    "_get_param_aliases": ".aliases",
    "_get_param_model": ".aliases",
    "_is_json_field": ".aliases",
    "_read_file_bytes": ".forms",
    "_should_embed_body_fields": ".body",
    "add_non_field_param_to_dependency": ".special",
    "add_param_to_fields": ".analyze",
    "analyze_param": ".analyze",
    "flatten": ".flat",
    "get_dependant": ".build",
    "get_flat_params": ".flat",
    "get_parameterless_sub_dependant": ".build",
    "get_stream_item_type": ".signatures",
    "get_typed_annotation": ".signatures",
    "get_typed_return_annotation": ".signatures",
    "get_typed_signature": ".signatures",
    "get_validation_alias": ".aliases",
    "request_body_to_args": ".body",
    "request_params_to_args": ".values",
    "solve_dependencies": ".solve",
}

__getattr__ = importer(__name__, _LATER)
