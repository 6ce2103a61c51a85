"""Python's plan and Rust's are one: what Python may say, Rust knows, and what Rust reads, Python has."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any

import pytest

from data_bridge._native import Operations
from data_bridge.plan import types


class Noting:
    """An object that notes which of its attributes are read."""

    def __init__(self, real: Any, read: set[str]) -> None:
        self._real, self._read = real, read

    def __getattr__(self, name: str) -> Any:
        self._read.add(f"{type(self._real).__name__}.{name}")
        value = getattr(self._real, name)
        if isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
            return tuple(Noting(item, self._read) for item in value)
        return Noting(value, self._read) if dataclasses.is_dataclass(value) else value


def operation(**changes: Any) -> types.Operation:
    step = types.Step(call=print, mode="task", inputs=(("q", 0),))
    given: dict[str, Any] = {
        "path": "/{key}",
        "methods": ("GET",),
        "params": (types.Param(name="q", place="query", aliases=("q",), scalar="int", required=True),),
        "accept": None,
        "bodies": 0,
        "makers": (),
        "steps": (step,),
        "slots": 2,
        "direct": step,
        "is_native": True,
        "result": types.Encoding(validate=int, to_json=repr, options=(("by_alias", True),)),
        "status": 200,
        "route": None,
    }
    return types.Operation(**{**given, **changes})


#: What Rust has no use for: it is Python's own.
PYTHONS = {
    "Operation.steps",
    "Operation.slots",
    "Operation.makers",
    "Operation.route",
    "Param.name",
    "Param.path_index",
    "Param.adapter",
    "Step.of_function",
    "Step.dependant",
    "Step.key",
    "Step.limit",
}


def test_rust_reads_what_python_says() -> None:
    read: set[str] = set()
    Operations("nothing").add(Noting(operation(), read))
    Operations("all").add_constant(Noting(types.Constant("/x", ("GET",), 200, (), b""), read))
    kinds = (types.Operation, types.Param, types.Step, types.Encoding, types.Constant)
    said = {f"{kind.__name__}.{field.name}" for kind in kinds for field in dataclasses.fields(kind)}
    assert read == said - PYTHONS


@pytest.mark.parametrize("scalar", [*typing.get_args(types.Scalar), "money"])
@pytest.mark.parametrize("place", [*typing.get_args(types.Place), "moon"])
def test_rust_knows_the_same_words(scalar: Any, place: Any) -> None:
    param = types.Param(name="q", place=place, aliases=("q",), path_index=0, scalar=scalar, required=True)
    if "money" in (scalar, place) or "moon" in (scalar, place):
        with pytest.raises(ValueError, match="the plan has no (scalar|place)"):
            Operations("nothing").add(operation(params=(param,)))
    else:
        Operations("nothing").add(operation(params=(param,)))


@pytest.mark.parametrize("mode", [*typing.get_args(types.StepKind), "dream"])
def test_rust_knows_how_a_single_step_is_run(mode: Any) -> None:
    step = types.Step(call=print, mode=mode, inputs=())
    if mode in ("generator", "dream"):
        with pytest.raises(ValueError, match="the plan has no mode"):
            Operations("nothing").add(operation(direct=step))
    else:
        Operations("nothing").add(operation(direct=step))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [({"path": "x"}, "must start"), ({"methods": ("GE T",)}, "no HTTP method")],
)
def test_what_rust_does_not_know_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Operations("all").add(operation(**changes))
    with pytest.raises(ValueError, match="the plan has no kind of answers"):
        Operations("some")
