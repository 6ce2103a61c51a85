"""The dependencies of a route, flattened into steps. Knows no framework's way to describe them."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable

    from .types import Maker, Param, Step

#: A slot as long as not all are known: a kind of value, and the number among those of its kind.
Slot = tuple[str, int]
Inputs = list[tuple[str, Slot]]


class Graph(ABC):
    """The values and steps of one route, in the order in which they are made; each kind of value has its own numbers.

    A dependant says with ``dependencies`` what it depends on; these have a ``name`` and say whether they ``use_cache``.
    """

    def __init__(self) -> None:
        self.params: list[Param] = []
        self.bodies: list[Any] = []
        self.makers: list[Maker] = []
        self.steps: list[Step] = []
        self._inputs: list[Inputs] = []
        self._cache: dict[Any, Slot] = {}
        self._singles: dict[Any, Slot] = {}

    @abstractmethod
    def wants(self, dependant: Any) -> Inputs:
        """Add what a dependant's call takes beside the results of others; gives its inputs."""

    @abstractmethod
    def key(self, dependant: Any) -> Hashable:
        """Give the name by which a result is found again."""

    @abstractmethod
    def step(self, dependant: Any) -> Step:
        """Give the step of a dependency, without its inputs."""

    def solve(self, dependant: Any) -> Inputs:
        """Give the inputs of a dependant's call; what they need is added before."""
        inputs = []
        for sub in dependant.dependencies:
            slot = self._dependency(sub)
            if sub.name is not None:
                inputs.append((sub.name, slot))
        return inputs + self.wants(dependant)

    def place(self, inputs: Inputs) -> tuple[tuple[str, int], ...]:
        """Give inputs their slots, once all are known."""
        start = {
            "param": 0,
            "body": len(self.params),
            "maker": len(self.params) + len(self.bodies),
            "step": self.slot_of_step(0),
        }
        return tuple((name, start[kind] + number) for name, (kind, number) in inputs)

    def slot_of_step(self, number: int) -> int:
        """Give the slot of a step's result, once all values before the steps are known."""
        return len(self.params) + len(self.bodies) + len(self.makers) + number

    def placed_steps(self) -> tuple[Step, ...]:
        """Give the steps with their slots."""
        return tuple(
            dataclasses.replace(step, inputs=self.place(inputs))
            for step, inputs in zip(self.steps, self._inputs, strict=True)
        )

    def single(self, maker: Maker) -> Slot:
        """Give the slot of something of which a request has but one."""
        if maker not in self._singles:
            self._singles[maker] = self.add("maker", self.makers, maker)
        return self._singles[maker]

    @staticmethod
    def add(kind: str, values: list[Any], value: Any) -> Slot:
        """Add a value of a kind; gives its slot."""
        values.append(value)
        return kind, len(values) - 1

    def _dependency(self, sub: Any) -> Slot:
        key = self.key(sub)
        if key in self._cache and sub.use_cache and _is_cached_throughout(sub):
            return self._cache[key]
        inputs = self.solve(sub)
        if key in self._cache and sub.use_cache:
            return self._cache[key]
        slot = self.add("step", self.steps, self.step(sub))
        self._inputs.append(inputs)
        self._cache.setdefault(key, slot)
        return slot


def _is_cached_throughout(dependant: Any) -> bool:
    return all(sub.use_cache and _is_cached_throughout(sub) for sub in dependant.dependencies)
