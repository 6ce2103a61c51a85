"""What the reference path knows of an App's route, and the App's part in an operation's steps."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from ..responses import Response
    from .schema import Adapter
    from .types import Body, Dependant, Operation, Step


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """A handler with all that was found out about it.

    ``status`` and ``response_class`` are of a result that is no response; ``adapter`` is that of its type (None:
    anything that JSON can carry), which filters, as FastAPI does; ``options`` are said to its serialiser. ``why`` says
    what keeps Rust from answering, if something does.
    """

    name: str
    where: str
    dependant: Dependant
    endpoint: Step
    body: Body | None
    status: int
    response_class: type[Response] | None
    adapter: Adapter | None
    options: tuple[tuple[str, Any], ...]
    executor: Executor
    why: str

    @property
    def is_overridden(self) -> bool:
        """Whether dependencies are replaced at the moment: an App cannot do that yet (A9)."""
        return False

    async def solve_anew(self, operation: Operation, slots: list[Any], request: Any) -> Any:
        """Never asked for: nothing is overridden."""
        raise NotImplementedError

    async def carry_out(self, step: Step, arguments: dict[str, Any], _request: Any = None) -> Any:
        """Run a function in the way that its kind asks for."""
        return await self.call(step.mode, step.call, arguments)

    async def call(self, mode: str, call: Any, arguments: dict[str, Any]) -> Any:
        """Run a function: awaited, at once, or in a thread with this context."""
        if mode == "task":
            return await call(**arguments)
        if mode == "inline":
            return call(**arguments)
        context = contextvars.copy_context()
        bound = functools.partial(context.run, call, **arguments)
        return await asyncio.get_running_loop().run_in_executor(self.executor, bound)
