"""What no plan stands for is Pydantic's to write: its bytes, warnings and errors. And models that change meanwhile."""

import enum
import functools
import math
import sys
import threading
import warnings
from datetime import UTC, datetime, time, timedelta, timezone
from typing import Annotated, Any, Union

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    RootModel,
    TypeAdapter,
    computed_field,
    field_serializer,
    model_serializer,
)
from pydantic import dataclasses as pydantic_dataclasses

import data_bridge.json as ours
from data_bridge import _native
from data_bridge.exceptions import JSONEncodeError

from .models import Child, Containers, Flat, Moments, Names, Nested, Tree

FLAT = Flat(number=1, text="x", ratio=0.5, truth=True)


def planned(kind: Any, value: Any, **wishes: Any) -> bytes | None:
    return _native.testing.planned_body(TypeAdapter(kind).core_schema, value, **wishes)


def pydantic(kind: Any, value: Any, **wishes: Any) -> bytes:
    return TypeAdapter(kind).dump_json(value, **wishes)


class OfField(BaseModel):
    number: int

    @field_serializer("number")
    def hide(self, value: int) -> str:
        return f"<{value}>"


class Whole(BaseModel):
    number: int

    @model_serializer
    def hide(self) -> dict[str, int]:
        return {"n": self.number}


class Computed(BaseModel):
    number: int

    @computed_field  # type: ignore[prop-decorator]
    @property
    def double(self) -> int:
        return 2 * self.number


class Extra(BaseModel):
    model_config = ConfigDict(extra="allow")

    number: int


class Infinite(BaseModel):
    model_config = ConfigDict(ser_json_inf_nan="constants")

    number: float


class Spans(BaseModel):
    model_config = ConfigDict(ser_json_timedelta="float")

    span: timedelta


class Asks(BaseModel):
    number: int

    def __getattribute__(self, name: str) -> Any:
        return {"number": 5} if name == "__dict__" else super().__getattribute__(name)


class Conditional(BaseModel):
    number: int = Field(exclude_if=lambda value: value == 1)


@pydantic_dataclasses.dataclass
class Data:
    number: int


Hidden = Annotated[int, PlainSerializer(lambda value: f"<{value}>")]
UNPLANNED: list[tuple[Any, Any]] = [
    (OfField, OfField(number=1)),
    (list[OfField], [OfField(number=1)]),
    (Whole, Whole(number=1)),
    (Computed, Computed(number=1)),
    (Extra, Extra(number=1, other="x")),
    (Infinite, Infinite(number=math.inf)),
    (Spans, Spans(span=timedelta(1))),
    (Asks, Asks(number=1)),
    (Conditional, Conditional(number=1)),
    (RootModel[list[int]], RootModel[list[int]]([1])),
    (Data, Data(1)),
    (list[Hidden], [1]),
    (dict[int, str], {1: "x"}),
    (list[bytes], [b"x"]),
    (list[int] | set[str], [1]),
]


@pytest.mark.parametrize(("kind", "value"), UNPLANNED, ids=str)
def test_has_no_plan(kind, value):
    with pytest.raises(LookupError):
        planned(kind, value)
    if isinstance(value, BaseModel):
        assert ours.dumps(value) == value.model_dump_json().encode()
        assert ours.dumps([value, value]) == b"[%s,%s]" % ((value.model_dump_json().encode(),) * 2)


class Cached(BaseModel):
    number: int

    @functools.cached_property
    def double(self) -> int:
        return 2 * self.number


def cached() -> Cached:
    model = Cached(number=1)
    assert model.double == 2
    return model


def reordered() -> Flat:
    model = FLAT.model_copy()
    model.__dict__["number"] = model.__dict__.pop("number")
    return model


FOLLOWED: list[tuple[Any, Any]] = [
    (Flat, Child(number=1, text="x", ratio=0.5, truth=True)),
    (list[Flat], [FLAT, Child(number=1, text="x", ratio=0.5, truth=True)]),
    (Cached, cached()),
    (Flat, reordered()),
    (list[float], [0.0, -0.0, 1e-5, 1e-4, 9e15, 1e16, 1e22, 1.7976931348623157e308, 5e-324]),
    (list[int], [2**63, 2**64, -(10**30)]),
    (datetime, datetime(2026, 1, 1, tzinfo=UTC)),
    (datetime, datetime(1, 1, 1, 0, 0, 0, 10, timezone(-timedelta(hours=3, minutes=30)))),
    (Any, {"a": [1, (2, "x"), {"b": None}], "c": datetime(2026, 1, 1)}),
    (str, 'é\x00"\\\n\u2028😀'),
]


@pytest.mark.parametrize(("kind", "value"), FOLLOWED, ids=str)
def test_is_written_by_its_plan(kind, value):
    assert planned(kind, value) == pydantic(kind, value)


def test_wishes_are_followed():
    value = Nested(flat=FLAT, named={"a": Names(first_name="x")})
    for by_alias in (None, True, False):
        for exclude_none in (True, False):
            for exclude_unset in (True, False):
                wishes = {"by_alias": by_alias, "exclude_none": exclude_none, "exclude_unset": exclude_unset}
                assert planned(Nested, value, **wishes) == pydantic(Nested, value, **wishes)


class OtherWord(enum.StrEnum):
    A = "a"


SURPRISES: list[tuple[Any, Any]] = [
    (Flat, Flat.model_construct(number="1", text=2, ratio=1, truth=0)),
    (Flat, Flat.model_construct(number=1)),
    (Flat, Flat.model_construct(number=True, text="x", ratio=0.5, truth=True)),
    (Flat, Flat.model_construct(number=1, text=OtherWord.A, ratio=0.5, truth=True)),
    (Flat, FLAT.model_copy(update={"ratio": math.nan})),
    (Flat, {"number": 1}),
    (Flat, None),
    (list[Flat], [FLAT, 1]),
    (list[Flat], (FLAT,)),
    (list[int], [1, "x"]),
    (tuple[int, str], (1,)),
    (Union[Flat, Names], Child(number=1, text="x", ratio=0.5, truth=True)),  # noqa: UP007 - as users write it
    (datetime, datetime(1800, 1, 1, tzinfo=timezone(timedelta(seconds=61)))),
    (time, time(1, tzinfo=UTC)),
    (Any, {1: 2}),
    (Any, {"a": {1, 2}}),
    (Any, b"x"),
    (Any, FLAT),
]


@pytest.mark.parametrize(("kind", "value"), SURPRISES, ids=str)
def test_a_value_that_is_not_as_planned_is_left_to_pydantic(kind, value):
    assert planned(kind, value) is None
    if isinstance(value, BaseModel):
        with warnings.catch_warnings(record=True) as expected:
            warnings.simplefilter("always")
            text = value.model_dump_json().encode()
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            assert ours.dumps(value) == text
        assert [str(one.message) for one in found] == [str(one.message) for one in expected]


def test_pydantic_refuses_what_cannot_be_written():
    surrogate = Flat.model_construct(number=1, text="\ud800", ratio=0.5, truth=True)
    circle = Containers()
    circle.bare_list.append(circle.bare_list)
    tree = Tree(value=1)
    tree.children.append(tree)
    for model in (surrogate, circle, tree):
        with pytest.raises(ValueError) as expected:  # noqa: PT011 - whatever it says
            model.model_dump_json()
        with pytest.raises((JSONEncodeError, type(expected.value))) as found:
            ours.dumps(model)
        assert str(expected.value) in str(found.value)


def test_deep_models_are_written():
    tree = Tree(value=0)
    for depth in range(1, 120):
        tree = Tree(value=depth, parent=tree)
    assert ours.dumps(tree) == tree.model_dump_json().encode()


def test_a_class_that_is_built_again_gets_another_plan():
    class Late(BaseModel):
        number: int = 1

    assert ours.dumps(Late()) == b'{"number":1}'
    Late.model_config["ser_json_inf_nan"] = "constants"
    Late.model_fields["number"].exclude = True
    Late.model_rebuild(force=True)
    assert ours.dumps(Late()) == b"{}"


def test_a_class_whose_schema_is_built_late():
    class Waits(BaseModel):
        model_config = ConfigDict(defer_build=True)

        number: int

    assert ours.dumps(Waits(number=1)) == b'{"number":1}'


def test_options_shape_models_too():
    value = {"b": FLAT, "a": 1}
    plain = {"b": FLAT.model_dump(mode="json"), "a": 1}
    option = ours.OPT_INDENT_2 | ours.OPT_SORT_KEYS
    assert ours.dumps(value, option=option) == ours.dumps(plain, option=option)


def test_moments_follow_pydantic_not_the_options():
    moments = Moments.model_validate({"at": 0, "day": 0, "hour": "10:00", "key": "0" * 32, "price": "1.10"})
    for option in (ours.OPT_NAIVE_UTC, ours.OPT_OMIT_MICROSECONDS, ours.OPT_STRICT_INTEGER):
        assert ours.dumps(moments, option=option) == moments.model_dump_json().encode()


def test_models_that_another_thread_changes_end_well_or_with_a_clear_error():
    shared = [FLAT.model_copy() for _ in range(2000)]
    table = Containers(bare_dict={str(number): number for number in range(5000)}, bare_list=["x" * 40] * 5000)
    stop = threading.Event()

    def change() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            shared.append(FLAT.model_copy())
            shared.pop(0)
            shared[0].__dict__[f"new{number}"] = object()
            shared[1].__dict__.pop("text", None)
            table.bare_dict[f"more{number}"] = [number]
            table.bare_dict.pop(f"more{number - 1}", None)
            table.bare_list[:] = ["x" * 40] * (4000 + number % 2000)

    outcomes: set[str] = set()
    interval = sys.getswitchinterval()
    thread = threading.Thread(target=change)
    sys.setswitchinterval(1e-6)
    thread.start()
    try:
        for _ in range(40):
            for value in (shared, table):
                outcomes.add(outcome(value))
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(interval)
    assert outcomes <= {"written", "list changed size", "dictionary changed size"}


def outcome(value: Any) -> str:
    """What became of a document: written, or what its error begins with."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours.dumps(value)
    except RuntimeError as error:
        return str(error).partition(" during ")[0]
    return "written"
