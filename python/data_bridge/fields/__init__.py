"""Fields over Pydantic: what annotations mean, and one validator for each. `annotations` alone needs no Pydantic."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import PydanticSchemaGenerationError, PydanticUndefinedAnnotation, ValidationError
    from pydantic.fields import FieldInfo
    from pydantic_core import Url
    from pydantic_core.core_schema import with_info_plain_validator_function

    from .annotations import (
        UnionType,
        annotation_is_pydantic_v1,
        field_annotation_is_complex,
        field_annotation_is_scalar,
        field_annotation_is_scalar_sequence,
        field_annotation_is_sequence,
        is_bytes_or_nonable_bytes_annotation,
        is_bytes_sequence_annotation,
        is_pydantic_v1_model_class,
        is_pydantic_v1_model_instance,
        is_union,
        is_uploadfile_or_nonable_uploadfile_annotation,
        is_uploadfile_sequence_annotation,
        lenient_issubclass,
        sequence_annotation_to_type,
        sequence_types,
        value_is_sequence,
    )
    from .definitions import (
        GenerateJsonSchema,
        get_definitions,
        get_flat_models_from_annotation,
        get_flat_models_from_field,
        get_flat_models_from_fields,
        get_flat_models_from_model,
        get_model_name_map,
        get_schema_from_model_field,
        normalize_name,
    )
    from .model_field import (
        PYDANTIC_VERSION_MINOR_TUPLE,
        ModelField,
        RequiredParam,
        Undefined,
        copy_field_info,
        create_body_model,
        evaluate_forwardref,
        get_cached_model_fields,
        get_missing_field_error,
        get_model_fields,
        is_scalar_field,
        serialize_sequence_value,
    )

__all__ = [
    "PYDANTIC_VERSION_MINOR_TUPLE",
    "FieldInfo",
    "GenerateJsonSchema",
    "ModelField",
    "PydanticSchemaGenerationError",
    "PydanticUndefinedAnnotation",
    "RequiredParam",
    "Undefined",
    "UnionType",
    "Url",
    "ValidationError",
    "annotation_is_pydantic_v1",
    "copy_field_info",
    "create_body_model",
    "evaluate_forwardref",
    "field_annotation_is_complex",
    "field_annotation_is_scalar",
    "field_annotation_is_scalar_sequence",
    "field_annotation_is_sequence",
    "get_cached_model_fields",
    "get_definitions",
    "get_flat_models_from_annotation",
    "get_flat_models_from_field",
    "get_flat_models_from_fields",
    "get_flat_models_from_model",
    "get_missing_field_error",
    "get_model_fields",
    "get_model_name_map",
    "get_schema_from_model_field",
    "is_bytes_or_nonable_bytes_annotation",
    "is_bytes_sequence_annotation",
    "is_pydantic_v1_model_class",
    "is_pydantic_v1_model_instance",
    "is_scalar_field",
    "is_union",
    "is_uploadfile_or_nonable_uploadfile_annotation",
    "is_uploadfile_sequence_annotation",
    "lenient_issubclass",
    "normalize_name",
    "sequence_annotation_to_type",
    "sequence_types",
    "serialize_sequence_value",
    "value_is_sequence",
    "with_info_plain_validator_function",
]

#: Where each name is; its module is imported when it is asked for.
_LATER = {
    "FieldInfo": "pydantic.fields",
    "GenerateJsonSchema": ".definitions",
    "ModelField": ".model_field",
    "PYDANTIC_VERSION_MINOR_TUPLE": ".model_field",
    "PydanticSchemaGenerationError": "pydantic",
    "PydanticUndefinedAnnotation": "pydantic",
    "RequiredParam": ".model_field",
    "Undefined": ".model_field",
    "UnionType": ".annotations",
    "Url": "pydantic_core",
    "ValidationError": "pydantic",
    "annotation_is_pydantic_v1": ".annotations",
    "copy_field_info": ".model_field",
    "create_body_model": ".model_field",
    "evaluate_forwardref": ".model_field",
    "field_annotation_is_complex": ".annotations",
    "field_annotation_is_scalar": ".annotations",
    "field_annotation_is_scalar_sequence": ".annotations",
    "field_annotation_is_sequence": ".annotations",
    "get_cached_model_fields": ".model_field",
    "get_definitions": ".definitions",
    "get_flat_models_from_annotation": ".definitions",
    "get_flat_models_from_field": ".definitions",
    "get_flat_models_from_fields": ".definitions",
    "get_flat_models_from_model": ".definitions",
    "get_missing_field_error": ".model_field",
    "get_model_fields": ".model_field",
    "get_model_name_map": ".definitions",
    "get_schema_from_model_field": ".definitions",
    "is_bytes_or_nonable_bytes_annotation": ".annotations",
    "is_bytes_sequence_annotation": ".annotations",
    "is_pydantic_v1_model_class": ".annotations",
    "is_pydantic_v1_model_instance": ".annotations",
    "is_scalar_field": ".model_field",
    "is_union": ".annotations",
    "is_uploadfile_or_nonable_uploadfile_annotation": ".annotations",
    "is_uploadfile_sequence_annotation": ".annotations",
    "lenient_issubclass": ".annotations",
    "normalize_name": ".definitions",
    "sequence_annotation_to_type": ".annotations",
    "sequence_types": ".annotations",
    "serialize_sequence_value": ".model_field",
    "value_is_sequence": ".annotations",
    "with_info_plain_validator_function": "pydantic_core.core_schema",
}


def __getattr__(name: str) -> Any:
    """Import the module of what is asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name], __name__), name)
