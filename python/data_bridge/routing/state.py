"""What an API route is by its options: made once for the route itself, and again wherever it is included."""

from __future__ import annotations

import inspect
import re
from enum import IntEnum
from typing import TYPE_CHECKING, Any, cast

from ..defaults import DefaultPlaceholder, value_of
from ..dependencies import (
    _get_flat_body_params,
    get_dependant,
    get_parameterless_sub_dependant,
    get_stream_item_type,
    get_typed_return_annotation,
)
from ..dependencies.models import _is_async_gen_callable, _is_gen_callable
from ..exceptions import require
from ..fields.annotations import is_starlettes, lenient_issubclass
from ..middleware.body_limit import validate_max_body_size
from ..utils import create_model_field, is_body_allowed_for_status_code
from .paths import compile_path
from .route import get_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from enum import Enum

    from .. import params
    from ..dependencies import Dependant
    from ..fields import ModelField
    from .base import BaseRoute

#: What a method may be (RFC 9110, 5.6.2).
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: Options that are kept as they were given.
_KEPT = (
    "summary",
    "response_description",
    "deprecated",
    "operation_id",
    "response_model_include",
    "response_model_exclude",
    "response_model_by_alias",
    "response_model_exclude_unset",
    "response_model_exclude_defaults",
    "response_model_exclude_none",
    "include_in_schema",
    "response_class",
    "dependency_overrides_provider",
    "callbacks",
    "openapi_extra",
    "generate_unique_id_function",
    "strict_content_type",
    "max_body_size",
)


class RouteState:
    """A route's attributes. The names are FastAPI's; tools read them."""

    path: str
    endpoint: Callable[..., Any]
    name: str
    methods: set[str]
    path_regex: Any
    path_format: str
    param_convertors: dict[str, Any]
    summary: str | None
    description: str
    response_description: str
    deprecated: bool | None
    operation_id: str | None
    unique_id: str
    tags: list[str | Enum]
    responses: dict[int | str, dict[str, Any]]
    include_in_schema: bool
    callbacks: list[BaseRoute] | None
    openapi_extra: dict[str, Any] | None
    generate_unique_id_function: Any
    response_class: Any
    response_model: Any
    response_model_include: Any
    response_model_exclude: Any
    response_model_by_alias: bool
    response_model_exclude_unset: bool
    response_model_exclude_defaults: bool
    response_model_exclude_none: bool
    response_field: ModelField | None
    response_fields: dict[int | str, ModelField]
    stream_item_type: Any | None
    stream_item_field: ModelField | None
    is_sse_stream: bool
    is_json_stream: bool
    status_code: int | None
    dependencies: list[params.Depends]
    dependency_overrides_provider: Any | None
    dependant: Dependant
    body_field: ModelField | None
    _embed_body_fields: bool
    strict_content_type: Any
    max_body_size: int | None

    def populate(
        self, path: str, endpoint: Callable[..., Any], options: dict[str, Any], stream_item_type: Any = None
    ) -> None:
        """Take the path, the endpoint and complete options, and find out what follows from them."""
        require(callable(endpoint), "An endpoint must be a callable")
        self.path = path
        self.endpoint = endpoint
        self.stream_item_type = stream_item_type
        validate_max_body_size(options["max_body_size"])
        for name in _KEPT:
            setattr(self, name, options[name])
        self.tags = options["tags"] or []
        self.responses = options["responses"] or {}
        self.name = get_name(endpoint) if options["name"] is None else options["name"]
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self.methods = {method.upper() for method in options["methods"] or ("GET",)}
        for method in self.methods:
            require(_TOKEN.fullmatch(method), f"{method!r} is no HTTP method")
        self.unique_id = self.operation_id or value_of(self.generate_unique_id_function)(self)
        status_code = options["status_code"]
        self.status_code = int(status_code) if isinstance(status_code, IntEnum) else status_code
        self.dependencies = list(options["dependencies"] or ())
        described = options["description"] or inspect.cleandoc(endpoint.__doc__ or "")
        self.description = described.split("\f")[0].strip()
        self._populate_responses()
        self.dependant, body_params, self._embed_body_fields = dependant_of(
            path=self.path_format, call=endpoint, dependencies=self.dependencies
        )
        self.body_field = None
        if body_params:
            from ..dependencies import _get_body_field  # noqa: PLC0415 - needs Pydantic

            self.body_field = _get_body_field(
                body_params=body_params, name=self.unique_id, embed_body_fields=self._embed_body_fields
            )
        self._populate_result(options["response_model"])

    def _populate_responses(self) -> None:
        """Make the fields of the responses that are described beside the ordinary one."""
        self.response_fields = {}
        for status_code, response in self.responses.items():
            require(isinstance(response, dict), "An additional response must be a dict")
            model = response.get("model")
            if model:
                _require_body(status_code)
                name = f"Response_{status_code}_{self.unique_id}"
                field = create_model_field(name=name, type_=model, mode="serialization")
                self.response_fields[status_code] = field

    def _populate_result(self, response_model: Any) -> None:
        """Find the types of the result, and of the items of a stream."""
        is_generator = _is_async_gen_callable(self.endpoint) or _is_gen_callable(self.endpoint)
        yields_events = is_generator and _is_event_stream(self.response_class)
        yields_json = is_generator and isinstance(self.response_class, DefaultPlaceholder)
        self.is_sse_stream = yields_events
        self.is_json_stream = yields_json
        if isinstance(response_model, DefaultPlaceholder):
            response_model = self._annotated_result(is_generator, described=yields_events or yields_json)
        self.response_model = response_model
        self.response_field = None
        if response_model:
            _require_body(self.status_code)
            name = f"Response_{self.unique_id}"
            self.response_field = create_model_field(name=name, type_=response_model, mode="serialization")
        self.stream_item_field = None
        if self.stream_item_type:
            name = f"StreamItem_{self.unique_id}"
            self.stream_item_field = create_model_field(name=name, type_=self.stream_item_type, mode="serialization")

    def _annotated_result(self, is_generator: bool, *, described: bool) -> Any:
        """Take the return annotation, unless that is a response; of a stream, the items' type."""
        annotation = get_typed_return_annotation(self.endpoint)
        if is_response_class(annotation):
            return None
        item = get_stream_item_type(annotation) if is_generator else None
        if item is None:
            return annotation
        if described and not _is_event(item):
            self.stream_item_type = item
        return None


def is_response_class(annotation: Any) -> bool:
    """Whether it is our class of responses, or Starlette's, or derives from one."""
    from ..responses import Response  # noqa: PLC0415 - responses builds on much

    return lenient_issubclass(annotation, Response) or (
        isinstance(annotation, type) and is_starlettes(annotation, "Response")
    )


def _is_event_stream(response_class: Any) -> bool:
    from ..responses.events import EventSourceResponse  # noqa: PLC0415 - few routes stream

    return lenient_issubclass(response_class, EventSourceResponse)


def _is_event(item: Any) -> bool:
    from ..sse import ServerSentEvent  # noqa: PLC0415 - few routes stream

    return lenient_issubclass(item, ServerSentEvent)


def _require_body(status_code: int | str | None) -> None:
    allowed = is_body_allowed_for_status_code(status_code)
    require(allowed, f"Status code {status_code} must not have a response body")


def dependant_of(
    *, path: str, call: Callable[..., Any], dependencies: Sequence[params.Depends]
) -> tuple[Dependant, list[ModelField], bool]:
    """Give the dependant after those of ``dependencies``, the body's fields, and whether they are its members."""
    dependant = get_dependant(path=path, call=call, scope="function")
    dependant.dependencies[:0] = [
        get_parameterless_sub_dependant(depends=cast("Any", depends), path=path) for depends in dependencies
    ]
    body_params = _get_flat_body_params(dependant)
    if not body_params:
        return dependant, body_params, False
    from ..dependencies import _should_embed_body_fields  # noqa: PLC0415 - needs Pydantic

    return dependant, body_params, _should_embed_body_fields(body_params)
