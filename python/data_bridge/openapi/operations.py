"""One path of the document: an operation for each method of a route, with what it takes, answers and calls back."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from data_bridge.openapi.constants import METHODS_WITH_BODY
from data_bridge.openapi.inputs import Inputs, request_body
from data_bridge.openapi.outputs import (
    add_validation_error,
    responses_of,
    validation_error_definition,
    validation_error_response_definition,
)
from data_bridge.utils import deep_dict_update

if TYPE_CHECKING:
    from data_bridge.openapi.schemas import Schemas


class Operations:
    """Describes routes one by one; collects their security schemes and identifiers, unique in a document."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._identifiers: set[str] = set()
        self.schemes: dict[str, Any] = {}
        self.definitions = schemas.definitions

    def of(self, route: Any) -> dict[str, Any]:
        """Describe a route: its operations by method. Empty where it is left out of the document."""
        if not route.include_in_schema:
            return {}
        inputs = Inputs.of(route.dependant)
        return {method.lower(): self._operation(route, method, inputs) for method in route.methods}

    def _operation(self, route: Any, method: str, inputs: Inputs) -> dict[str, Any]:
        operation = self._metadata(route, method)
        schemes, asked = inputs.security()
        self.schemes |= schemes
        if asked:
            operation["security"] = asked
        if parameters := inputs.parameters(self._schemas):
            operation["parameters"] = parameters
        if method in METHODS_WITH_BODY and (body := request_body(route.body_field, self._schemas)):
            operation["requestBody"] = body
        if route.callbacks:
            operation["callbacks"] = self._callbacks(route.callbacks)
        operation["responses"] = responses_of(route, self._schemas)
        if (route.body_field or inputs.any_parameter()) and add_validation_error(operation["responses"]):
            self.definitions.setdefault("ValidationError", validation_error_definition)
            self.definitions.setdefault("HTTPValidationError", validation_error_response_definition)
        if route.openapi_extra:
            deep_dict_update(operation, route.openapi_extra)
        return operation

    def _metadata(self, route: Any, method: str) -> dict[str, Any]:
        operation: dict[str, Any] = {"tags": route.tags} if route.tags else {}
        operation["summary"] = generate_operation_summary(route=route, method=method)
        if route.description:
            operation["description"] = route.description
        operation["operationId"] = self._identifier(route)
        if route.deprecated:
            operation["deprecated"] = route.deprecated
        return operation

    def _identifier(self, route: Any) -> str:
        identifier: str = route.operation_id or route.unique_id
        if identifier in self._identifiers:
            name = getattr(route.endpoint, "__name__", "<unnamed_endpoint>")
            file = getattr(route.endpoint, "__globals__", {}).get("__file__")
            where = f" at {file}" if file else ""
            warnings.warn(f"Duplicate Operation ID {identifier} for function {name}{where}", stacklevel=1)
        self._identifiers.add(identifier)
        return identifier

    def _callbacks(self, routes: Any) -> dict[str, Any]:
        from data_bridge.routing import APIRoute  # noqa: PLC0415 - routing imports this package for its own document

        return {route.name: {route.path: self.of(route)} for route in routes if isinstance(route, APIRoute)}


def generate_operation_summary(*, route: Any, method: str) -> str:
    """Give the route's summary, by default its function's name as words."""
    summary: str = route.summary or route.name.replace("_", " ").title()
    return summary
