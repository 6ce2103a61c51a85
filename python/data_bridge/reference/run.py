"""One request from arguments to response, for what Rust does not run itself."""

from __future__ import annotations

import asyncio
import contextvars
import functools
from typing import TYPE_CHECKING, Any

from .arguments import solve
from .result import failure_of, response_of

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from ..plan.types import Arguments, Call
    from ..requests import Request
    from ..responses import Response


async def respond(call: Call, request: Request, arguments: Arguments | None = None) -> Response:
    """Make the response of a route. ``arguments`` are those that the plan extracted, None where it refused to.

    An exception that stands for a response becomes one; any other leaves as it is.
    """
    try:
        if arguments is None:
            arguments = await solve(call, request)
        response = response_of(call, await _run(call, arguments, request.app.executor))
    except Exception as error:
        failure = failure_of(error)
        if failure is None:
            raise
        return failure
    if call.background_name and response.background is None:
        response.background = arguments[call.background_name]
    return response


async def _run(call: Call, arguments: Arguments, executor: Executor) -> Any:
    if call.mode == "task":
        return await call.endpoint(**arguments)
    if call.mode == "inline":
        return call.endpoint(**arguments)
    context = contextvars.copy_context()
    bound = functools.partial(context.run, call.endpoint, **arguments)
    return await asyncio.get_running_loop().run_in_executor(executor, bound)
