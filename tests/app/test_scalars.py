"""What Rust accepts of a parameter is what Pydantic accepts, with the same value."""

from __future__ import annotations

import random
import uuid
from urllib.parse import quote

import pytest
from pydantic import TypeAdapter, ValidationError

from data_bridge import App

#: Everyday forms, odd forms that Pydantic accepts, and what nobody accepts.
TEXTS = [
    "", "0", "1", "-1", "+1", "00", "007", "-0", "1.0", "-1.50", "1e5", ".5", "1.", "1_000", "1__0", " 1", "1 ", "0x10",
    "true", "True", "TRUE", "tRuE", "false", "on", "Off", "yes", "NO", "t", "F", "y", "n", "2", "inf", "-inf", "nan",
    "NaN", "infinity", "٣", "1٣", "\uff11", "9" * 18, "9" * 19, "-" + "9" * 18, "9" * 400,
    "0" * 20 + "1", "1" * 33 + ".5",
    "123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000", "123e4567e89b12d3a456426614174000",
    "{123e4567-e89b-12d3-a456-426614174000}", "urn:uuid:123e4567-e89b-12d3-a456-426614174000",
    "\x00", "1\x00", "ä", "x",
    "0.1", "0.30000000000000004", "179769313486231570000000000000.0", "4.9", "-0.0", "123456789.123456789123456789",
]  # fmt: skip


def texts() -> list[str]:
    chance = random.Random(7)
    made = ("".join(chance.choices("0123456789.-+e_ tfn", k=chance.randint(1, 12))) for _ in range(3000))
    return [*TEXTS, *made]


def slots_of(app: App, path: str, query: bytes):
    """What the plan makes of a request; None where the reference decides."""
    return app.front().routes.compiled().match("GET", path, path.encode(), query, [])[2]


@pytest.mark.parametrize("kind", [str, int, float, bool, uuid.UUID])
def test_accepted_means_equal(kind):
    app = App()

    def endpoint(value): ...

    endpoint.__annotations__["value"] = kind
    app.get("/")(endpoint)
    reference = TypeAdapter(kind)
    accepted = 0
    for text in texts():
        slots = slots_of(app, "/", b"value=" + quote(text).encode())
        if slots is None:
            continue
        accepted += 1
        (value,) = slots
        expected = reference.validate_python(text)
        assert (type(value), repr(value)) == (type(expected), repr(expected)), text
    assert accepted > 10 or kind is uuid.UUID


@pytest.mark.parametrize("kind", [int, float, bool])
def test_plain_forms_are_accepted(kind):
    """The reference path is for the odd ones: it costs."""
    app = App()

    def endpoint(value): ...

    endpoint.__annotations__["value"] = kind
    app.get("/{value}")(endpoint)
    plain = {int: ["0", "42", "-7"], float: ["0.5", "3", "-1.25"], bool: ["true", "0", "Yes"]}[kind]
    for text in plain:
        assert slots_of(app, f"/{text}", b"") == [TypeAdapter(kind).validate_python(text)]


@pytest.mark.parametrize(
    "query", ["", "value", "value=", "value=1&value=2", "Value=1", "value=%31", "v%61lue=1", "value=1;2"]
)
def test_the_reference_decides_what_is_missing_or_odd(query):
    app = App()

    def endpoint(value: int): ...

    app.get("/")(endpoint)
    slots = slots_of(app, "/", query.encode())
    try:
        from data_bridge.datastructures import QueryParams

        expected = [TypeAdapter(int).validate_python(QueryParams(query).get("value"))]
    except ValidationError:
        expected = None
    assert slots == expected
