"""The OpenAPI document of an app's routes. FastAPI's module of this name, and byte for byte its document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from data_bridge.dependencies.flat import get_flat_params
from data_bridge.encoders import jsonable_encoder
from data_bridge.openapi.native import operations_of
from data_bridge.openapi.operations import Operations, generate_operation_summary
from data_bridge.openapi.outputs import (
    status_code_ranges,
    validation_error_definition,
    validation_error_response_definition,
)
from data_bridge.openapi.schemas import Schemas
from data_bridge.routing import APIRoute, iter_route_contexts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from data_bridge.fields import ModelField
    from data_bridge.routing import BaseRoute, RouteContext

__all__ = [
    "generate_operation_summary",
    "get_fields_from_routes",
    "get_openapi",
    "status_code_ranges",
    "validation_error_definition",
    "validation_error_response_definition",
]


def get_openapi(
    *,
    title: str,
    version: str,
    openapi_version: str = "3.1.0",
    summary: str | None = None,
    description: str | None = None,
    routes: Sequence[BaseRoute | RouteContext],
    webhooks: Sequence[BaseRoute | RouteContext] | None = None,
    tags: list[dict[str, Any]] | None = None,
    servers: list[dict[str, str | Any]] | None = None,
    terms_of_service: str | None = None,
    contact: dict[str, str | Any] | None = None,
    license_info: dict[str, str | Any] | None = None,
    separate_input_output_schemas: bool = True,
    external_docs: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Describe ``routes`` and ``webhooks`` in an OpenAPI document, ready for JSON.

    ``separate_input_output_schemas``: a model whose input differs from its output (defaults make fields optional to the
    sender, but not to the receiver) stands twice in the document.
    """
    info = {
        "title": title,
        "version": version,
        **_given(
            summary=summary,
            description=description,
            termsOfService=terms_of_service,
            contact=contact,
            license=license_info,
        ),
    }
    fields = get_fields_from_routes([*routes, *(webhooks or ())])
    operations = Operations(Schemas.generate(fields, separate=separate_input_output_schemas))
    paths, hooks = _paths(operations, routes), _paths(operations, webhooks or ())
    definitions = operations.definitions
    schemas = {name: definitions[name] for name in sorted(definitions)}
    document = {
        "openapi": openapi_version,
        "info": info,
        "paths": paths,
        **_given(servers=servers, webhooks=hooks, tags=tags, externalDocs=external_docs),
        **_given(components=_given(schemas=schemas, securitySchemes=operations.schemes)),
    }
    return _checked(document)


def get_fields_from_routes(routes: Sequence[BaseRoute | RouteContext]) -> list[ModelField]:
    """Give all fields of which the routes need a schema."""
    called_back: list[ModelField] = []
    bodies: list[ModelField] = []
    answers: list[ModelField] = []
    parameters: list[ModelField] = []
    for route in _described(routes):
        if not route.include_in_schema:
            continue
        if route.body_field:
            bodies.append(route.body_field)
        answers += [field for field in (route.response_field, *route.response_fields.values()) if field]
        answers += [route.stream_item_field] if route.stream_item_field else []
        called_back += get_fields_from_routes(route.callbacks) if route.callbacks else []
        parameters += get_flat_params(route.dependant)
    return [*called_back, *bodies, *answers, *parameters]


def _described(routes: Sequence[BaseRoute | RouteContext]) -> Iterator[Any]:
    """Give each API route with what its routers add to it."""
    for context in iter_route_contexts(routes):
        if isinstance(context.original_route, APIRoute):
            yield context


def _native(routes: Sequence[BaseRoute | RouteContext]) -> Iterator[Any]:
    """Give the routes of handlers in Rust that are to be described."""
    for context in iter_route_contexts(routes):
        route: Any = context.original_route
        if hasattr(route, "natives") and route.include_in_schema:
            yield route


def _paths(operations: Operations, routes: Sequence[BaseRoute | RouteContext]) -> dict[str, dict[str, Any]]:
    paths: dict[str, dict[str, Any]] = {}
    for route in _described(routes):
        if item := operations.of(route):
            paths.setdefault(route.path_format, {}).update(item)
    for native in _native(routes):
        paths.setdefault(native.path_format, {}).update(operations_of(native, operations.definitions))
    return paths


def _given(**items: Any) -> dict[str, Any]:
    return {name: value for name, value in items.items() if value}


def _checked(document: dict[str, Any]) -> dict[str, Any]:
    """Let the models of the specification check the document, put its keys in order and drop what is None."""
    from data_bridge.openapi.models import OpenAPI  # noqa: PLC0415 - 50 ms, and only who asks for a document needs it

    encoded: dict[str, Any] = jsonable_encoder(OpenAPI(**document), by_alias=True, exclude_none=True)
    return encoded
