"""The JSON schemas of all fields of one document's routes, generated together so that models share definitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from data_bridge.fields import (
    get_definitions,
    get_flat_models_from_fields,
    get_model_name_map,
    get_schema_from_model_field,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from data_bridge.defaults import ModelNameMap
    from data_bridge.fields import ModelField


@dataclass(slots=True)
class Schemas:
    """What was generated. ``definitions`` are the shared ones; ``of`` gives a field's own, which refers to them."""

    names: ModelNameMap
    by_field: dict[tuple[ModelField, Literal["validation", "serialization"]], dict[str, Any]]
    definitions: dict[str, dict[str, Any]]
    separate: bool

    @classmethod
    def generate(cls, fields: Sequence[ModelField], *, separate: bool) -> Schemas:
        """Generate the schemas; ``separate``: a model that is sent and received differently gets two."""
        names = get_model_name_map(get_flat_models_from_fields(fields, known_models=set()))
        by_field, definitions = get_definitions(
            fields=fields, model_name_map=names, separate_input_output_schemas=separate
        )
        return cls(names, by_field, definitions, separate)

    def of(self, field: ModelField, alias: str | None = None) -> dict[str, Any]:
        """Give a field's schema, titled after ``alias`` where it has no title of its own."""
        return get_schema_from_model_field(
            field=field,
            model_name_map=self.names,
            field_mapping=self.by_field,
            separate_input_output_schemas=self.separate,
            field_alias=alias,
        )
