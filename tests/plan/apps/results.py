"""A FastAPI app whose routes return models in every way, right and wrong."""

from __future__ import annotations

import datetime
import decimal
import enum
import math
import uuid
from typing import Any, Generic, Literal, TypeVar

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field, computed_field, field_serializer
from pydantic.alias_generators import to_camel

app = FastAPI()
T = TypeVar("T")


class Colour(str, enum.Enum):
    red = "red"


class Public(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    user_name: str
    is_active: bool = True
    nick: str | None = None


class Private(Public):
    password: str = "secret"


class Order(BaseModel):
    key: uuid.UUID = uuid.UUID(int=7)
    owner: Public
    others: list[Public] = []
    at: datetime.datetime = datetime.datetime(2026, 11, 21, 16, 40, tzinfo=datetime.UTC)
    total: decimal.Decimal = decimal.Decimal("1.10")
    ratio: float = 0.1
    colour: Colour = Colour.red
    state: Literal["open", "done"] = "open"
    tags: dict[str, Any] = {"a": [1, {"b": None}]}


class Page(BaseModel, Generic[T]):
    items: list[T]
    total: int


class Shown(BaseModel):
    number: int

    @computed_field  # type: ignore[prop-decorator]
    @property
    def double(self) -> int:
        return 2 * self.number

    @field_serializer("number")
    def hide(self, value: int) -> str:
        return f"<{value}>"


class Measured(BaseModel):
    value: float


ANNA = Private(user_name="Anna \N{BEER MUG}", nick='"x"\n')
BEN = Public(user_name="Ben")


@app.get("/one")
async def one() -> Public:
    return BEN


@app.get("/subclass", response_model=Public)
async def subclass() -> Any:
    return ANNA


@app.get("/list", response_model=list[Public])
async def many() -> Any:
    return [ANNA, BEN, {"userName": "Carl", "password": "y"}]


@app.get("/optional")
async def optional() -> Public | None:
    return None


@app.get("/order")
async def order() -> Order:
    return Order(owner=ANNA, others=[ANNA, BEN])


@app.get("/order-unset", response_model=Order, response_model_exclude_unset=True)
async def order_unset() -> Any:
    return Order(owner=ANNA, others=[ANNA, BEN])


@app.get("/order-none", response_model=Order, response_model_exclude_none=True)
async def order_none() -> Any:
    return Order(owner=ANNA, tags={"a": None})


@app.get("/order-names", response_model=Order, response_model_by_alias=False)
async def order_names() -> Any:
    return {"owner": {"user_name": "x"}, "others": [BEN]}


@app.get("/order-part", response_model=Order, response_model_include={"owner", "total"})
async def order_part() -> Any:
    return Order(owner=BEN)


@app.get("/order-defaults", response_model=Order, response_model_exclude_defaults=True)
async def order_defaults() -> Any:
    return Order(owner=BEN)


@app.get("/page")
async def page() -> Page[Public]:
    return Page[Public](items=[BEN] * 3, total=3)


@app.get("/large")
def large() -> list[Order]:
    return [Order(owner=ANNA, others=[BEN])] * 1000


@app.get("/union")
async def union() -> Public | Measured | int:
    return Measured(value=1e-7)


@app.get("/shown")
async def shown() -> list[Shown]:
    return [Shown(number=1)]


@app.get("/nan")
async def nan() -> Measured:
    return Measured(value=math.nan)


@app.get("/wrong", response_model=Public)
async def wrong() -> Any:
    return Public.model_construct(user_name=5, is_active="yes", nick=None)


@app.get("/surrogate", response_model=Public)
async def surrogate() -> Any:
    return Public.model_construct(user_name="\ud800", is_active=True, nick=None)


@app.get("/typed")
async def typed() -> dict[str, list[float]]:
    return {"a": [1, 2.5, 1e300]}


@app.get("/bare")
async def bare() -> Any:
    return {"a": [1, 2.5e-7, 10**30, True, None, "\x7f\u2028é"], "b": (1, 2), "c": {}}


@app.get("/bare-model")
async def bare_model() -> Any:
    return {"order": Order(owner=ANNA)}


@app.get("/bare-left-out")
async def bare_left_out() -> Any:
    return {"_sa_state": 1, "_saé": 2, "_s": 3}


@app.get("/bare-keys")
async def bare_keys() -> Any:
    return {1: "a", None: "b", 2.5: "c"}


class Odd(BaseModel):
    value: float = Field(default=1.0, serialization_alias="_sa_value")


class Dumped(BaseModel):
    value: float = 1.0

    def model_dump(self, **options: Any) -> dict[str, Any]:
        return {"own": super().model_dump(**options)}


@app.get("/bare-one")
async def bare_one() -> Any:
    return Order(owner=ANNA, others=[BEN, ANNA], total=decimal.Decimal("1E+3"))


@app.get("/bare-several")
async def bare_several() -> Any:
    return [BEN, ANNA, {"x": (BEN, Measured(value=3))}, Order(owner=BEN, tags={"b": BEN})]


@app.get("/bare-floats")
async def bare_floats() -> Any:
    return [Measured(value=value) for value in (1e16, 1e-7, 1e22, 0.1, 123456789.123, -0.0, 5e-324)]


@app.get("/bare-nan")
async def bare_nan() -> Any:
    return Measured(value=math.inf)


@app.get("/bare-odd")
async def bare_odd() -> Any:
    return [Odd(), Dumped(), Shown(number=1), Page[Any](items=[BEN, Odd(), uuid.UUID(int=1)], total=2)]


@app.get("/bare-wrong")
async def bare_wrong() -> Any:
    return Public.model_construct(user_name=5, is_active="yes", nick=None)


@app.get("/bare-surrogate")
async def bare_surrogate() -> Any:
    return Public.model_construct(user_name="\ud800", is_active=True, nick=None)
