"""What endpoints need: from signatures to graphs, from graphs and requests to arguments.

``models`` and ``special`` say what a callable takes, ``analyze`` reads it from its signature, ``solve`` finds it.
"""

from .aliases import (
    _get_flat_fields_from_params,
    _get_param_aliases,
    _get_param_model,
    _is_json_field,
    get_validation_alias,
)
from .analyze import (
    ParamDetails,
    add_param_to_fields,
    analyze_param,
    get_dependant,
    get_parameterless_sub_dependant,
)
from .body import _get_body_field, _get_flat_body_params, _should_embed_body_fields, request_body_to_args
from .flat import flatten, get_flat_params
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
