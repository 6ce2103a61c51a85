"""Values for differential tests of JSON: everything that a document may hold. Knows no library."""

import uuid
from datetime import UTC, date, datetime, timedelta, timezone

from hypothesis import strategies as st

#: Text with much of what an escape or a vector's edge can go wrong at.
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.text('ab"\\/\n\t\x00\x1f\x7f \x80é漢😀', max_size=100),
    st.integers(0, 200).map(lambda length: "x" * length),
)
INTEGERS = st.one_of(
    st.integers(-(2**63), 2**64 - 1),
    st.integers(-1000, 1000),
    st.integers(0, 19).map(lambda power: 10**power),
    st.integers(0, 19).map(lambda power: 10**power - 1),
)
FLOATS = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.floats(-1e-3, 1e-3), st.floats(1e14, 1e18))
LEAVES = st.one_of(st.none(), st.booleans(), INTEGERS, FLOATS, TEXTS)

#: What the standard library knows too.
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(TEXTS, inner, max_size=6),
        st.lists(INTEGERS, max_size=80),
    ),
    max_leaves=40,
)

ZONES = st.one_of(
    st.none(), st.just(UTC), st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
)
MOMENTS = st.one_of(
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 28), timezones=ZONES),
    st.dates(date(1, 1, 1)),
    # orjson 3.13 drops the leading zero of 10,000 to 99,999 microseconds in a `time` (not in a `datetime`).
    st.times().filter(lambda moment: not 10_000 <= moment.microsecond < 100_000),
    st.uuids().map(lambda number: uuid.UUID(int=number.int)),
)

#: What orjson knows beyond that.
RICH_DOCUMENTS = st.recursive(
    st.one_of(LEAVES, MOMENTS),
    lambda inner: st.one_of(st.lists(inner, max_size=6), st.dictionaries(TEXTS, inner, max_size=6)),
    max_leaves=20,
)
