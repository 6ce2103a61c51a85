"""`jsonable_encoder` beside FastAPI's: values of every kind, and all that may be left out."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import uuid
from collections import deque
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath

import fastapi.encoders
import pytest
from pydantic import BaseModel, Field, SecretStr
from pydantic.networks import AnyUrl

from data_bridge.encoders import jsonable_encoder


class Colour(Enum):
    RED = "red"


class Item(BaseModel):
    name: str = Field(alias="n")
    size: int | None = None
    colour: Colour = Colour.RED


@dataclasses.dataclass
class Point:
    x: int
    when: dt.date


class Members:
    def __init__(self):
        self.a, self._sa_hidden, self.when = 1, 2, dt.time(1, 2)


class Opaque:
    __slots__ = ()


ITEM = Item(n="a")
VALUES = [
    None,
    b"bytes",
    dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC),
    dt.timedelta(seconds=1.5),
    *map(Decimal, ("1", "1.5", "1E+2", "NaN")),
    uuid.UUID(int=1),
    PurePosixPath("a/b"),
    re.compile("a+"),
    SecretStr("s"),
    AnyUrl("https://example.org"),
    Colour.RED,
    ITEM,
    [ITEM, (1, {2}), frozenset([3]), deque([4])],
    {"a": None, "_sa_b": 1, Colour.RED: ITEM, 3: b"x"},
    Point(1, dt.date(2026, 1, 2)),
    Members(),
    Exception("told"),
]
OPTIONS = [
    {},
    {"by_alias": False, "exclude_none": True},
    {"exclude_unset": True, "exclude_defaults": True},
    {"include": ["n", "a", "name", "x"], "sqlalchemy_safe": False},
    {"exclude": {"size", "a", "when"}},
    {"custom_encoder": {dt.date: lambda value: value.year, Colour: lambda value: value.name, bytes: len}},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("value", VALUES, ids=lambda value: str(value)[:30])
def test_values(value, options):
    assert repr(jsonable_encoder(value, **options)) == repr(fastapi.encoders.jsonable_encoder(value, **options))


def test_what_cannot_be_encoded():
    messages = []
    for encode in (jsonable_encoder, fastapi.encoders.jsonable_encoder):
        with pytest.raises(ValueError, match="not iterable") as refused:
            encode(Opaque())
        messages.append(str(refused.value))
    assert messages[0] == messages[1]
