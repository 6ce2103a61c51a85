"""`dumps` beside the standard library, and what it does with each type and option by itself."""

import dataclasses
import enum
import json
import math
import sys
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any, ClassVar

import pytest
from hypothesis import given
from pydantic import BaseModel, Field

import data_bridge.json as ours
from data_bridge import _native
from data_bridge.exceptions import JSONEncodeError

from .values import DOCUMENTS, FLOATS, TEXTS


def standard(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@given(DOCUMENTS)
def test_equals_the_standard_library(value):
    assert ours.dumps(value) == standard(value)


@given(DOCUMENTS)
def test_indents_as_the_standard_library(value):
    expected = json.dumps(value, ensure_ascii=False, indent=2).encode()
    assert ours.dumps(value, option=ours.OPT_INDENT_2) == expected


@given(DOCUMENTS)
def test_sorts_as_the_standard_library(value):
    expected = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    assert ours.dumps(value, option=ours.OPT_SORT_KEYS) == expected


@given(FLOATS)
def test_a_float_is_written_as_repr_has_it(value):
    assert ours.dumps(value) == repr(value).encode()


@given(TEXTS)
def test_every_kernel_of_this_processor_escapes_alike(text):
    expected = standard(text)[1:-1]
    copies = _native.testing.escape_with_each(text)
    assert copies == [(name, expected) for name, _ in copies]


@pytest.mark.parametrize("character", ['"', "\\", "\n", "\x00", "\x1f", "\x7f", "é", "漢", "😀"])
def test_a_character_at_every_place_of_a_text_of_every_length(character):
    for length in range(1, 100):
        for place in range(length):
            text = "a" * place + character + "b" * (length - place - 1)
            assert ours.dumps(text) == standard(text)


def test_long_texts_are_written_in_pieces():
    for text in ("x" * 5000, '"' * 5000, "é" * 5000, "漢\n" * 70_000, "a" * 1_000_000):
        assert ours.dumps([text, {text: 1}]) == standard([text, {text: 1}])


@pytest.mark.parametrize("value", [0, -1, 2**30 - 1, 2**30, 2**60, 2**63, 2**64 - 1, 2**64, -(2**64), 10**100])
def test_integers_of_any_size_are_exact(value):
    assert ours.dumps(value) == b"%d" % value
    assert ours.dumps([1, value, 2]) == b"[1,%d,2]" % value


def test_an_integer_too_long_for_the_interpreter_is_refused():
    with pytest.raises(JSONEncodeError, match="max_str_digits") as caught:
        ours.dumps(10 ** (sys.get_int_max_str_digits() + 1))
    assert isinstance(caught.value.__cause__, ValueError)


def test_what_json_has_no_number_for_is_null():
    assert ours.dumps([math.nan, math.inf, -math.inf]) == b"[null,null,null]"


@pytest.mark.parametrize(("value", "name"), [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")])
def test_strict_floats(value, name):
    with pytest.raises(JSONEncodeError, match=rf"^{name} has no form in JSON \(at \[1\]\)$"):
        ours.dumps([0.5, value], option=ours.OPT_STRICT_FLOAT)


class Colour(enum.Enum):
    RED = "red"
    PAIR = (1, 2)


class Level(enum.IntEnum):
    LOW = 1


class Loud(enum.Enum):
    WORD = "word"

    @property
    def value(self):
        return self._value_.upper()


class Text(str):
    __slots__ = ()


class Number(int):
    pass


class Row(list):
    pass


class Table(dict):
    pass


class Point(tuple):
    __slots__ = ()


@dataclasses.dataclass
class Plain:
    name: str
    size: int = 3
    _hidden: int = 4
    shared: ClassVar[int] = 5


@dataclasses.dataclass(slots=True)
class Slotted:
    name: str
    inner: Plain
    _hidden: int = 4


class Model(BaseModel):
    name: str = Field(alias="Name", default="n")
    when: datetime = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Colour.RED, b'"red"'),
        (Colour.PAIR, b"[1,2]"),
        (Level.LOW, b"1"),
        (Loud.WORD, b'"WORD"'),
        (Text("é"), '"é"'.encode()),
        (Number(7), b"7"),
        (Row([1, Row()]), b"[1,[]]"),
        (Table(a=Table()), b'{"a":{}}'),
        ({Text("k"): 1}, b'{"k":1}'),
        (Plain("x"), b'{"name":"x","size":3}'),
        (Slotted("y", Plain("x")), b'{"name":"y","inner":{"name":"x","size":3}}'),
        (Model(), b'{"name":"n","when":"2026-01-02T00:00:00Z"}'),
        (uuid.UUID(int=0xAB), b'"00000000-0000-0000-0000-0000000000ab"'),
        (datetime(1, 2, 3, 4, 5, 6), b'"0001-02-03T04:05:06"'),
        (datetime(2026, 11, 21, 16, 40, 0, 5, UTC), b'"2026-11-21T16:40:00.000005+00:00"'),
        (datetime(2026, 1, 1, tzinfo=timezone(-timedelta(hours=3, minutes=30))), b'"2026-01-01T00:00:00-03:30"'),
        (date(2026, 11, 21), b'"2026-11-21"'),
        (time(1, 2, 3, 40), b'"01:02:03.000040"'),
        ((), b"[]"),
        ([{}, [], ()], b"[{},[],[]]"),
    ],
)
def test_types(value, expected):
    assert ours.dumps(value) == expected
    assert ours.dumps([value]) == b"[" + expected + b"]"


NAIVE = datetime(2026, 1, 1, 0, 0, 0, 5)


@pytest.mark.parametrize(
    ("value", "option", "expected"),
    [
        (NAIVE, ours.OPT_NAIVE_UTC, b'"2026-01-01T00:00:00.000005+00:00"'),
        (NAIVE, ours.OPT_NAIVE_UTC | ours.OPT_UTC_Z, b'"2026-01-01T00:00:00.000005Z"'),
        (NAIVE, ours.OPT_OMIT_MICROSECONDS, b'"2026-01-01T00:00:00"'),
        ([1], ours.OPT_APPEND_NEWLINE, b"[1]\n"),
        (Plain("x"), ours.OPT_INDENT_2, b'{\n  "name": "x",\n  "size": 3\n}'),
        ({7: 2, None: 3, True: 4}, ours.OPT_NON_STR_KEYS, b'{"7":2,"null":3,"true":4}'),
        ({Colour.RED: 1, 1.5: 2}, ours.OPT_NON_STR_KEYS, b'{"red":1,"1.5":2}'),
        ({"b": 1, "a": {"d": 1, "c": 2}}, ours.OPT_SORT_KEYS, b'{"a":{"c":2,"d":1},"b":1}'),
    ],
)
def test_options(value, option, expected):
    assert ours.dumps(value, option=option) == expected


@pytest.mark.parametrize(
    ("value", "option"),
    [
        (NAIVE, ours.OPT_PASSTHROUGH_DATETIME),
        (Text("x"), ours.OPT_PASSTHROUGH_SUBCLASS),
        (Plain("x"), ours.OPT_PASSTHROUGH_DATACLASS),
    ],
)
def test_passing_through_calls_default(value, option):
    assert ours.dumps(value, default=lambda _: "passed", option=option) == b'"passed"'
    with pytest.raises(JSONEncodeError):
        ours.dumps(value, option=option)


def test_strict_integers():
    assert ours.dumps(2**53 - 1, option=ours.OPT_STRICT_INTEGER) == b"%d" % (2**53 - 1)
    for value in (2**53, [-(2**53)], 2**70):
        with pytest.raises(JSONEncodeError, match="53-bit"):
            ours.dumps(value, option=ours.OPT_STRICT_INTEGER)


def test_default():
    assert ours.dumps({"a": {1, 2}}, default=sorted) == b'{"a":[1,2]}'
    assert ours.dumps({1}, sorted) == b"[1]"
    with pytest.raises(JSONEncodeError, match="recursion limit"):
        ours.dumps(object(), default=lambda value: value)
    with pytest.raises(JSONEncodeError, match=r"not JSON serializable: object \(at a\)") as caught:
        ours.dumps({"a": object()}, default=lambda _: 1 // 0)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(KeyboardInterrupt):
        ours.dumps(object(), default=interrupt)


def interrupt(_):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, {"b c": object()}]}, r'^Type is not JSON serializable: object \(at a\[1\]\["b c"\]\)$'),
        (Point([1]), r"^Type is not JSON serializable: Point$"),
        ({1: 2}, r"^Dict key must be str, not int"),
        ({object(): 2}, r"^Dict key must be str, not object"),
        (["\ud800"], r"^str is not valid UTF-8: surrogates not allowed \(at \[0\]\)$"),
        ({"\udfff": 1}, r"^str is not valid UTF-8: surrogates not allowed"),
        (time(1, tzinfo=UTC), r"^datetime.time must not have tzinfo set$"),
        (b"bytes", r"bytes"),
    ],
)
def test_refusals_name_the_fault_and_its_place(value, message):
    with pytest.raises(JSONEncodeError, match=message) as caught:
        ours.dumps(value)
    assert isinstance(caught.value, TypeError)


def test_arguments():
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        ours.dumps()
    with pytest.raises(TypeError, match="from 1 to 3 positional"):
        ours.dumps(1, None, None, None)
    with pytest.raises(TypeError, match="unexpected keyword argument 'indent'"):
        ours.dumps(1, indent=2)
    with pytest.raises(TypeError, match="multiple values for argument 'default'"):
        ours.dumps(1, None, default=None)
    for option in (1 << 30, -1, "x"):
        with pytest.raises(TypeError, match="OPT_"):
            ours.dumps(1, option=option)
    assert ours.dumps(1, default=None, option=None) == b"1"
