"""What a case is, and the list of all. Knows neither the cases nor how they are measured."""

from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One operation: what it is called, how often it runs, and the function that runs it n times."""

    title: str
    operations: int
    run: Callable[[AbstractEventLoop, int], None]

    def scaled(self, share: float) -> int:
        """A share of the operations: whole thousands of the cheap ones, which may come in batches."""
        step = 1000 if self.operations >= 100_000 else 10
        return max(int(self.operations * share) // step, 1) * step


CASES: dict[str, Case] = {}


def case(title: str, operations: int) -> Callable[[Callable[[AbstractEventLoop, int], None]], Callable[..., None]]:
    """Registers a function that takes the loop and n."""

    def register(run: Callable[[AbstractEventLoop, int], None]) -> Callable[..., None]:
        CASES[run.__name__] = Case(title, operations, run)
        return run

    return register


def async_case(title: str, operations: int) -> Callable[[Callable[[int], Awaitable[None]]], Callable[..., None]]:
    """Registers a coroutine function that takes n and finds the loop itself."""

    def register(body: Callable[[int], Awaitable[None]]) -> Callable[..., None]:
        def run(loop: AbstractEventLoop, n: int) -> None:
            loop.run_until_complete(body(n))

        CASES[body.__name__] = Case(title, operations, run)
        return run

    return register
