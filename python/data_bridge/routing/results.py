"""From what an endpoint returned to a response. Knows no request."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..concurrency import run_in_threadpool
from ..exceptions import EndpointContext, ResponseValidationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..defaults import IncEx
    from ..fields import ModelField


def is_response(value: Any) -> bool:
    """Whether an endpoint's result is sent as it is: our responses, Starlette's, and whatever acts like one."""
    return hasattr(value, "raw_headers") and hasattr(value, "status_code") and callable(value)


def finite(data: Any) -> Any:
    """Put None in the places of NaN and the infinities, which JSON does not have."""
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, dict):
        return {key: finite(value) for key, value in data.items()}
    if isinstance(data, list):
        return [finite(value) for value in data]
    return data


async def serialize_response(
    *,
    field: ModelField | None = None,
    response_content: Any,
    include: IncEx | None = None,
    exclude: IncEx | None = None,
    by_alias: bool = True,
    exclude_unset: bool = False,
    exclude_defaults: bool = False,
    exclude_none: bool = False,
    is_coroutine: bool = True,
    endpoint_ctx: Callable[[], EndpointContext] | EndpointContext | None = None,
    dump_json: bool = False,
) -> Any:
    """Validate a result by the response's field, and give what JSON can carry (with ``dump_json``: JSON).

    What a ``def`` endpoint gave is validated in a thread too, since its model may have code that blocks.
    """
    if field is None:
        from ..encoders import jsonable_encoder  # noqa: PLC0415 - endpoints with a model need none

        return jsonable_encoder(response_content)
    if is_coroutine:
        value, errors = field.validate(response_content, loc=("response",))
    else:
        value, errors = await run_in_threadpool(field.validate, response_content, loc=("response",))
    if errors:
        context = endpoint_ctx() if callable(endpoint_ctx) else endpoint_ctx
        raise ResponseValidationError(errors=errors, body=response_content, endpoint_ctx=context)
    return (field.serialize_json if dump_json else field.serialize)(
        value,
        include=include,
        exclude=exclude,
        by_alias=by_alias,
        exclude_unset=exclude_unset,
        exclude_defaults=exclude_defaults,
        exclude_none=exclude_none,
    )
