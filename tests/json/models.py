"""Pydantic models of many shapes, and values for them. Knows no serialiser."""

import datetime as dt
import decimal
import enum
import uuid
from typing import Annotated, Any, Generic, Literal, TypeVar

from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, field_validator
from pydantic.alias_generators import to_camel

from .values import FLOATS, INTEGERS, MOMENTS, TEXTS, ZONES

T = TypeVar("T")


class Colour(enum.Enum):
    RED = "red"
    GREEN = 2


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 10


class Word(enum.StrEnum):
    YES = "yes"
    NO = 'n"o'


class Flat(BaseModel):
    """Each built-in type."""

    number: int
    text: str
    ratio: float
    truth: bool
    nothing: None = None
    maybe: str | None = None


class Moments(BaseModel):
    at: dt.datetime
    day: dt.date
    hour: dt.time
    key: uuid.UUID
    price: decimal.Decimal


class Names(BaseModel):
    """Aliases, keys to escape, long ones, fields that are left out."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    first_name: str
    odd: int = Field(1, serialization_alias='o"d\n')
    accented: int = Field(2, serialization_alias="größe")
    a_name_that_is_longer_than_a_block_of_thirty_two_bytes: int = 3
    secret: str = Field("hidden", exclude=True)


class ByOwnAlias(BaseModel):
    model_config = ConfigDict(serialize_by_alias=True)

    inner_name: int = Field(serialization_alias="innerName")


class Chosen(BaseModel):
    colour: Colour = Colour.RED
    level: Level = Level.LOW
    word: Word = Word.NO
    mode: Literal["a", "b"] = "a"


class Containers(BaseModel):
    numbers: list[int] = []
    matrix: list[list[float]] = []
    table: dict[str, int] = {}
    pair: tuple[int, str] = (1, "x")
    row: tuple[int, ...] = ()
    tags: set[str] = set()
    frozen: frozenset[int] = frozenset()
    anything: Any = None
    bare_list: list = []
    bare_dict: dict = {}


class Nested(BaseModel):
    flat: Flat
    many: list[Flat] = []
    named: dict[str, Names] = {}
    own: ByOwnAlias = ByOwnAlias(inner_name=1)
    either: Flat | Names | int | str | None = None


class Tree(BaseModel):
    value: int
    children: "list[Tree]" = []
    parent: "Tree | None" = None


class Validated(BaseModel):
    even: Annotated[int, AfterValidator(lambda value: value)] = 0
    text: str = ""

    @field_validator("text")
    @classmethod
    def check(cls, value: str) -> str:
        return value


class Page(BaseModel, Generic[T]):
    items: list[T]
    total: int


class Child(Flat):
    extra: str = "more"


TREES = st.recursive(
    st.builds(Tree, value=INTEGERS),
    lambda inner: st.builds(Tree, value=INTEGERS, children=st.lists(inner, max_size=3), parent=inner),
    max_leaves=8,
)
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), INTEGERS, FLOATS, TEXTS, MOMENTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)
FLATS = st.builds(Flat, number=INTEGERS, text=TEXTS, ratio=FLOATS, truth=st.booleans(), maybe=st.none() | TEXTS)
NAMES = st.builds(Names, first_name=TEXTS, odd=INTEGERS)
CHILDREN = st.builds(Child, number=INTEGERS, text=TEXTS, ratio=FLOATS, truth=st.booleans())

#: Type and values of it.
SHAPES: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "flat": (Flat, FLATS),
    "moments": (
        Moments,
        st.builds(
            Moments,
            at=st.datetimes(dt.datetime(1, 1, 3), dt.datetime(9999, 12, 28), timezones=ZONES),
            day=st.dates(),
            hour=st.times(),
            key=st.uuids(),
            price=st.decimals(allow_nan=False, allow_infinity=False),
        ),
    ),
    "names": (Names, NAMES),
    "by own alias": (ByOwnAlias, st.builds(ByOwnAlias, inner_name=INTEGERS)),
    "chosen": (
        Chosen,
        st.builds(
            Chosen,
            colour=st.sampled_from(Colour),
            level=st.sampled_from(Level),
            word=st.sampled_from(Word),
            mode=st.sampled_from(["a", "b"]),
        ),
    ),
    "containers": (
        Containers,
        st.builds(
            Containers,
            numbers=st.lists(INTEGERS, max_size=70),
            matrix=st.lists(st.lists(FLOATS, max_size=4), max_size=4),
            table=st.dictionaries(TEXTS, INTEGERS, max_size=5),
            pair=st.tuples(INTEGERS, TEXTS),
            row=st.lists(INTEGERS, max_size=5).map(tuple),
            tags=st.sets(TEXTS, max_size=5),
            frozen=st.frozensets(INTEGERS, max_size=5),
            anything=ANYTHING,
            bare_list=st.lists(ANYTHING, max_size=3),
            bare_dict=st.dictionaries(TEXTS, ANYTHING, max_size=3),
        ),
    ),
    "nested": (
        Nested,
        st.builds(
            Nested,
            flat=FLATS | CHILDREN,
            many=st.lists(FLATS | CHILDREN, max_size=3),
            named=st.dictionaries(TEXTS, NAMES, max_size=3),
            either=st.one_of(FLATS, NAMES, INTEGERS, TEXTS, st.none()),
        ),
    ),
    "tree": (Tree, TREES),
    "validated": (Validated, st.builds(Validated, even=INTEGERS, text=TEXTS)),
    "page": (Page[Flat], st.builds(Page[Flat], items=st.lists(FLATS, max_size=3), total=INTEGERS)),
    "list": (list[Flat], st.lists(FLATS | CHILDREN, max_size=5)),
    "dict": (dict[str, Flat | None], st.dictionaries(TEXTS, FLATS | st.none(), max_size=5)),
    "optional": (Flat | None, FLATS | st.none()),
    "numbers": (list[int | float | None], st.lists(st.one_of(INTEGERS, FLATS.map(lambda flat: flat.ratio), st.none()))),
}

ADAPTERS: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(kind) for name, (kind, _) in SHAPES.items()}
