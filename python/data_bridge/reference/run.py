"""One request from arguments to response, for what Rust does not run itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..plan import steps
from .arguments import Solver
from .result import failure_of, response_of

if TYPE_CHECKING:
    from ..plan.types import Operation
    from ..requests import Request
    from ..responses import Response


async def respond(operation: Operation, request: Request, slots: list[Any] | None = None) -> Response:
    """Make the response of a route. ``slots`` are the values that the plan extracted, None where it did not.

    An exception that stands for a response becomes one; any other leaves as it is.
    """
    handler: Any = operation.route
    solver = Solver(handler, request)
    try:
        if slots is None:
            result = await handler.carry_out(handler.endpoint, await solver.solve())
        else:
            result = await steps.run(operation, slots)
        response = response_of(operation, result)
    except Exception as error:
        failure = failure_of(error)
        if failure is None:
            raise
        return failure
    if response.background is None:
        response.background = solver.background
    return response
