"""Odd inputs: parameters of every kind get from the plan the value, or the 422, that FastAPI alone gives them."""

from __future__ import annotations

import asyncio
import datetime as dt
import decimal
import enum
import ipaddress
import uuid
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote, quote_from_bytes, quote_plus

import pytest
from fastapi import Cookie, FastAPI, Header, Query
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support import asgi
from tests.support.generated import cases

from data_bridge.adapters.serve import put_in_front

if TYPE_CHECKING:
    from collections.abc import Iterator


class Colour(enum.Enum):
    red = "red"
    rest = "1"


class Level(enum.IntEnum):
    low = 1
    high = 10


#: Each kind, by the name of its route.
KINDS: dict[str, Any] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "uuid": uuid.UUID,
    "date": dt.date,
    "datetime": dt.datetime,
    "time": dt.time,
    "timedelta": dt.timedelta,
    "decimal": decimal.Decimal,
    "bytes": bytes,
    "address": ipaddress.IPv4Address,
    "colour": Colour,
    "level": Level,
    "literal": Literal["a", "", "1"],
    "optional_int": int | None,
    "int_or_str": int | str,
    "float_or_bool": float | bool,
    "short": Annotated[str, Query(min_length=1, max_length=3)],
    "digits": Annotated[str, Query(pattern=r"^[0-9]+$")],
    "positive": Annotated[int, Query(gt=0, le=2**63)],
    "fraction": Annotated[float, Query(gt=0, lt=1, allow_inf_nan=False)],
    "tenths": Annotated[decimal.Decimal, Query(max_digits=3, decimal_places=1)],
    "strict": Annotated[int, Query(strict=True)],
}

#: What each kind may be sent, right and wrong, beside texts of any kind.
WRITTEN = (
    "| |0|-0|+1|1| 1|1 |\t1\n|01|-01|1_0|1__0|_1|1.0|1.|.5|1e3|0x10|9223372036854775807|9223372036854775808"
    "|-9223372036854775809|1.5|-1.50|1e400|-1e-400|nan|NaN|-nan|inf|Infinity|-inf|1.0000000000000001|0.1e1|1e2"
    "|true|True|TRUE|tRuE|t|y|yes|on|off|OFF|f|n|no|2|null|None|true |red|RED|10|a|127.0.0.1|127.1|1.1.1.1.1"
    "|123e4567-e89b-12d3-a456-426614174000|123E4567-E89B-12D3-A456-426614174000|123e4567e89b12d3a456426614174000"
    "|{123e4567-e89b-12d3-a456-426614174000}|urn:uuid:123e4567-e89b-12d3-a456-426614174000"
    "|123e4567-e89b-12d3-a456-42661417400|2026-01-02|2026-1-2|2026-02-30|20260102|1767312000|1767312000.5"
    "|2026-01-02T03:04:05|2026-01-02 03:04|2026-01-02T03:04:05.678901234Z|2026-01-02T03:04:05+25:00"
    "|2026-01-02T00:00:00|03:04:05|03:04|03:04:05.5+02:00|25:00|P1DT2H|-P1D|1 02:03:04|PT|12:30"
    "|\u0663|\uff11|\u00bd|\u00e4|\u00a01|\x00|a\x00b|\ufeff1|\U0001f379"
)
TEXTS = [*WRITTEN.split("|"), "1" * 18, "1" * 19, "9" * 400, "1" * 4400]

LIKELY = st.sampled_from(TEXTS)
NUMBERS = st.one_of(st.integers().map(str), st.floats().map(repr), st.decimals(allow_nan=False).map(str))
TIMES = st.one_of(st.dates().map(str), st.datetimes().map(str), st.times().map(str), st.uuids().map(str))
SPELT = st.text(alphabet="0123456789+-._eE:TZ xX", max_size=24)
VALUES = st.one_of(LIKELY, LIKELY, NUMBERS, TIMES, SPELT, st.text(max_size=8))
#: Bytes of a field: HTTP lets through what is no control character.
FIELDS = st.one_of(VALUES.map(str.encode), st.binary(max_size=12)).map(
    lambda raw: bytes(byte for byte in raw if byte >= 32 and byte != 127).strip()
)


def routes() -> FastAPI:
    """An app that shows what its endpoints were given."""
    app = FastAPI()
    for name, kind in KINDS.items():
        many = Annotated[list[kind], Query()]
        add(app, "query", name, kind)
        add(app, "many", name, many)
        if "Query" not in repr(kind):  # it says itself where it is
            add(app, "path", name, kind)
            add(app, "header", name, Annotated[kind, Header()])
            add(app, "cookie", name, Annotated[kind, Cookie()])
    return app


def add(app: FastAPI, place: str, name: str, annotation: Any) -> None:
    async def endpoint(x_value):
        return [type(x_value).__name__, repr(x_value)]

    endpoint.__annotations__ = {"x_value": annotation}
    if place == "path":
        app.get(f"/path/{name}/{{x_value}}")(endpoint)
        app.get(f"/rest/{name}/{{x_value:path}}")(endpoint)
    else:
        endpoint.__defaults__ = ("the default",)
        app.get(f"/{place}/{name}")(endpoint)


class Twins:
    """The same routes with the plan in front and without."""

    def __init__(self) -> None:
        self.planned, self.plain = routes(), routes()
        self.served: set[str] = set()
        put_in_front(self.planned).on_planned = lambda _scope, operation: self.served.add(operation.path)
        self.runner = asyncio.Runner()

    def compare(self, path: str, query: bytes = b"", headers: Any = ()) -> None:
        ours, theirs = (
            self.runner.run(asgi.call(app, asgi.scope("GET", path, query, headers)))
            for app in (self.planned, self.plain)
        )
        assert ours == theirs


@pytest.fixture(scope="module")
def twins() -> Iterator[Twins]:
    made = Twins()
    with made.runner:
        yield made


PATHS = [str(getattr(route, "path", "")) for route in routes().routes if getattr(route, "response_model", 1) is None]


def paths_of(*places: str) -> st.SearchStrategy[str]:
    return st.sampled_from([path for path in PATHS if path.split("/")[1] in places])


@st.composite
def queries(draw: Any) -> bytes:
    """Pairs, mostly of the right name, written in one of the ways that clients have, or in none."""
    name = st.sampled_from(["x_value"] * 6 + ["x-value", "X_value", "", "other"])
    write = draw(st.sampled_from([quote, quote_plus, lambda text: quote(text, safe="/:+ ")]))
    pairs = draw(st.lists(st.tuples(name, VALUES), max_size=3))
    text = "&".join(f"{quote(name)}={write(value)}" for name, value in pairs)
    odd = ["&", "&&x_value", "&x_value=%", "&x_value=%zz1", "&x_value=%FF", "&x_value=1;x_value=2"]
    ending = draw(st.sampled_from([""] * 6 + odd))
    return (text + ending).encode("latin-1")


@cases(300)
@given(path=paths_of("query", "many"), query=queries())
@example(path="/query/int", query=b"x_value=1&x_value=2")
@example(path="/many/int", query=b"x_value=1&x_value=x")
@example(path="/query/str", query=b"x%5Fvalue=%C3%A4")
@example(path="/query/str", query="x_value=ä".encode())
def test_in_the_query(twins: Twins, path: str, query: bytes) -> None:
    twins.compare(path, query)


@cases(150)
@given(path=paths_of("path", "rest"), value=VALUES)
def test_in_the_path(twins: Twins, path: str, value: str) -> None:
    twins.compare(path.partition("{")[0] + value)


@cases(150)
@given(
    path=paths_of("header"),
    fields=st.lists(st.tuples(st.sampled_from([b"x-value"] * 4 + [b"x_value", b"X-Value"]), FIELDS), max_size=3),
)
def test_in_header_fields(twins: Twins, path: str, fields: list[tuple[bytes, bytes]]) -> None:
    twins.compare(path, headers=[(name.lower(), value) for name, value in fields])


@st.composite
def cookies(draw: Any) -> bytes:
    """A cookie field: pairs, quoted or not, in good order or not."""
    odd = [b'"a\\"b"', b'"\\054\\303"', b'"', b'""', b'a"b', b'"a";b', b"a=b=c", b"\xe4", b'"\\', b'"\\777"']
    values = st.one_of(
        FIELDS,
        FIELDS.map(lambda raw: b'"' + raw + b'"'),
        VALUES.map(lambda text: quote_from_bytes(text.encode()).encode()),
        st.sampled_from(odd),
    )
    name = st.sampled_from([b"x_value"] * 4 + [b"x-value", b"", b" x_value "])
    pair = st.tuples(name, st.sampled_from([b"=", b"=", b" = ", b""]), values).map(b"".join)
    return draw(st.sampled_from([b"; ", b";", b" ;", b","])).join(draw(st.lists(pair, max_size=3)))


@cases(250)
@given(path=paths_of("cookie"), fields=st.lists(cookies(), max_size=2))
def test_in_cookies(twins: Twins, path: str, fields: list[bytes]) -> None:
    twins.compare(path, headers=[(b"cookie", field) for field in fields])


def test_the_plan_took_part(twins: Twins) -> None:
    """The last one: by now every route that compiles was served by the plan at least once."""
    paths = [path for path in PATHS if path.split("/")[2] != "address"]  # ipaddress validates in Python
    for path in paths:
        prefix, _, _ = path.partition("{")
        if "{" not in path:
            twins.compare(path)  # the default: no text is a strict number
        for text in ("0", "1", "a", "0.5", "2026-01-02", "03:04", "123e4567-e89b-12d3-a456-426614174000", "127.0.0.1"):
            sent = text.encode()
            headers = [(b"x-value", sent), (b"cookie", b"x_value=" + sent)]
            twins.compare(prefix + text if "{" in path else path, b"x_value=" + sent, headers)
    missed = [path for path in paths if path not in twins.served]
    assert missed == []
