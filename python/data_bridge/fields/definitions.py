"""The JSON Schemas of fields and of the models that they name. Knows no route."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema as _GenerateJsonSchema

from .annotations import lenient_issubclass
from .model_field import ModelField, get_model_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

REF_TEMPLATE = "#/components/schemas/{model}"
Mode = Literal["validation", "serialization"]
Models = set[type[BaseModel] | type[Enum]]
FieldSchemas = dict[tuple[ModelField, Mode], "JsonSchemaValue"]


class GenerateJsonSchema(_GenerateJsonSchema):
    """Pydantic's generator, with bytes described as OpenAPI 3.1 describes files."""

    def bytes_schema(self, schema: CoreSchema) -> JsonSchemaValue:
        """Describe bytes."""
        described: dict[str, Any] = {"type": "string", "contentMediaType": "application/octet-stream"}
        encoding = self._config.ser_json_bytes if self.mode == "serialization" else self._config.val_json_bytes
        if encoding == "base64":
            described["contentEncoding"] = "base64"
        self.update_with_validations(described, schema, self.ValidationsMapping.bytes)
        return described


def _has_computed_member(annotation: Any, seen: set[Any]) -> bool:
    if not lenient_issubclass(annotation, BaseModel):
        return any(_has_computed_member(part, seen) for part in get_args(annotation))
    if annotation in seen:
        return False
    seen.add(annotation)
    members = (info.annotation for info in annotation.model_fields.values())
    return bool(annotation.model_computed_fields) or any(_has_computed_member(part, seen) for part in members)


def _has_computed_fields(field: ModelField) -> bool:
    core: Any = field._type_adapter.core_schema
    if core.get("schema", {}).get("computed_fields", []):
        return True
    return _has_computed_member(field.field_info.annotation, set())


def _mode(field: ModelField, separate_input_output_schemas: bool) -> Mode:
    """Input and output share a schema where the application wants it, unless the output has computed fields."""
    return field.mode if separate_input_output_schemas or _has_computed_fields(field) else "validation"


def get_schema_from_model_field(
    *,
    field: ModelField,
    model_name_map: Any,
    field_mapping: FieldSchemas,
    separate_input_output_schemas: bool = True,
    field_alias: str | None = None,
) -> dict[str, Any]:
    """Give the field's schema out of those that :func:`get_definitions` made, with a title."""
    schema = field_mapping[field, _mode(field, separate_input_output_schemas)].copy()
    if "$ref" not in schema:
        alias = field.validation_alias if field.mode == "validation" else field.serialization_alias
        name = field_alias or alias or field.alias
        schema["title"] = field.field_info.title or name.title().replace("_", " ")
    return schema


def get_definitions(
    *,
    fields: Sequence[ModelField],
    model_name_map: Any,
    separate_input_output_schemas: bool = True,
) -> tuple[FieldSchemas, dict[str, dict[str, Any]]]:
    """Make the schemas of all fields at once, and those of the models that they refer to."""
    named: list[ModelField] = []
    for mode in ("validation", "serialization"):
        models = get_flat_models_from_fields([field for field in fields if field.mode == mode], known_models=set())
        named += [ModelField(FieldInfo(annotation=model), model.__name__, mode) for model in models]
    of_fields = {field.field_info.annotation for field in fields}
    others = {field for field in named if field.field_info.annotation not in of_fields}
    inputs = [
        (field, _mode(field, separate_input_output_schemas), field._type_adapter.core_schema)
        for field in [*fields, *others]
    ]
    mapping, definitions = GenerateJsonSchema(ref_template=REF_TEMPLATE).generate_definitions(inputs=inputs)
    for definition in definitions.values():
        if "description" in definition:
            definition["description"] = definition["description"].split("\f")[0]
    return mapping, definitions  # type: ignore[return-value]


def get_flat_models_from_fields(fields: Sequence[ModelField], known_models: Models) -> Models:
    """Add the models and enumerations that the fields name, however deep, to ``known_models``."""
    for field in fields:
        get_flat_models_from_field(field, known_models)
    return known_models


def get_flat_models_from_field(field: ModelField, known_models: Models) -> Models:
    """Add the models and enumerations that the field names."""
    annotation = field.field_info.annotation
    if lenient_issubclass(annotation, (BaseModel, Enum)):
        _add(annotation, known_models)
    else:
        get_flat_models_from_annotation(annotation, known_models)
    return known_models


def get_flat_models_from_annotation(annotation: Any, known_models: Models) -> Models:
    """Add the models and enumerations among the annotation's arguments."""
    if get_origin(annotation) is not None:
        for part in get_args(annotation):
            if lenient_issubclass(part, (BaseModel, Enum)):
                _add(part, known_models)
            else:
                get_flat_models_from_annotation(part, known_models)
    return known_models


def get_flat_models_from_model(model: type[BaseModel], known_models: Models | None = None) -> Models:
    """Add the models and enumerations that the model's fields name."""
    return get_flat_models_from_fields(get_model_fields(model), set() if known_models is None else known_models)


def _add(model: Any, known_models: Models) -> None:
    if model in known_models:
        return
    known_models.add(model)
    if lenient_issubclass(model, BaseModel):
        get_flat_models_from_model(model, known_models)


def normalize_name(name: str) -> str:
    """Make a name that OpenAPI takes for a component."""
    return re.sub(r"[^a-zA-Z0-9.\-_]", "_", name)


def get_model_name_map(unique_models: Models) -> dict[Any, str]:
    """Name each model; of two with the same name one is named."""
    named = {normalize_name(model.__name__): model for model in unique_models}
    return {model: name for name, model in named.items()}
