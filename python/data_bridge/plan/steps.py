"""An operation's steps, one after the other: T2, whatever framework's face the app has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .types import Operation


async def run(operation: Operation, slots: list[Any], request: Any = None) -> Any:
    """Carry out the steps; gives what the endpoint returned. ``slots`` hold all values but the steps' results."""
    route = operation.route
    for step in operation.steps[len(slots) - operation.slots + len(operation.steps) :]:
        if step.dependant is not None and route.provider.dependency_overrides:
            return await route.solve_anew(operation, slots, request)
        arguments = {name: slots[slot] for name, slot in step.inputs}
        if step.mode == "task" and step.limit is None:
            value = await step.call(**arguments)
        else:
            value = await route.carry_out(step, arguments, request)
        slots.append(value)
    return slots[-1]
