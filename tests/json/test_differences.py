"""Differential tests: each document in `json`, in orjson and here. `JSON_EXAMPLES` says how many values there are.

A difference must be one of those that docs/reference/json.md lists; each has one place below that allows it.
"""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_bridge.json import JSONDecodeError, dumps, loads

from .texts import damaged, spelt
from .values import DOCUMENTS

try:
    import orjson
except ImportError:
    orjson = None

#: Documents made of one value: its spellings, and each of them damaged in so many ways.
SPELLINGS, DAMAGES = 4, 4
SEEDS = st.integers(0, 2**32)


def refusal(error):
    return (error.msg, error.pos, error.lineno, error.colno)


def ours(text, **options):
    """The value's `repr`, which tells -0.0 from 0.0 and 1 from 1.0 and True; or why and where there is none."""
    try:
        return repr(loads(text, **options))
    except JSONDecodeError as error:
        return refusal(error)


def standard(text):
    try:
        return repr(json.loads(text))
    except json.JSONDecodeError as error:
        return refusal(error)


def check(text):
    """One document, by every way in."""
    try:
        decoded = text.decode()
    except UnicodeDecodeError as error:
        check_invalid_utf8(text, error.start)
        return
    found = ours(text)
    assert found == ours(decoded) == ours(bytearray(text)), text
    lenient = ours(text, allow_nan=True)
    check_beside_json(decoded, lenient)
    check_strictness(decoded, found, lenient)
    if orjson:
        check_beside_orjson(text, found)


def check_invalid_utf8(text, start):
    """Listed: json raises UnicodeDecodeError; we say where. What is wrong before is found first."""
    message, position, *_ = ours(text)
    before = len(text[:start].decode())
    assert position < before or (position == before and message in ("Invalid UTF-8", *AT_ANY_BYTE)), text
    if orjson:
        with pytest.raises(orjson.JSONDecodeError):
            orjson.loads(text)


#: Where a value, a delimiter or a name is expected, the byte that stands there is not looked at more closely.
AT_ANY_BYTE = (
    "Expecting value",
    "Expecting ',' delimiter",
    "Expecting ':' delimiter",
    "Expecting property name enclosed in double quotes",
    "Extra data",
    "Unexpected UTF-8 BOM (decode using utf-8-sig)",
)


def check_beside_json(text, lenient):
    expected = standard(text)
    if lenient == expected:
        return
    # Listed: json reads lone surrogates.
    assert lenient[0] == "Lone surrogate", text
    position = lenient[1]
    assert text.startswith("\\u", position), text
    assert 0xD800 <= int(text[position + 2 : position + 6], 16) < 0xE000, text
    unterminated = "Unterminated string starting at"  # json looks for the end first
    assert isinstance(expected, str) or expected[0] == unterminated or expected[1] >= position, text


def check_strictness(text, found, lenient):
    if found == lenient:
        return
    message, position, *_ = found
    if message == "Expecting value":
        # Listed: json reads NaN and the infinities.
        assert text.startswith(("NaN", "Infinity", "-Infinity"), position), text
    else:
        # Listed: json makes an infinity of a number that is too large for a float.
        assert message == "Number is too large for a float", text
        assert "e" in text[position:].lower(), text


def check_beside_orjson(text, found):
    try:
        expected = orjson.loads(text)
    except orjson.JSONDecodeError:
        assert isinstance(found, tuple), text
        return
    assert isinstance(found, str), text
    # Listed: orjson makes a float of an integer beyond 64 bits.
    assert repr(json.loads(text, parse_int=as_orjson)) == repr(expected), text


def as_orjson(digits):
    number = int(digits)
    return number if -(2**63) <= number < 2**64 else float(digits)


@given(DOCUMENTS, SEEDS)
def test_documents_whole_and_damaged(value, seed):
    source = random.Random(seed)
    for _ in range(SPELLINGS):
        text = spelt(value, source).encode()
        check(text)
        again = loads(text)
        assert dumps(again) == json.dumps(again, ensure_ascii=False, separators=(",", ":")).encode()
        for _ in range(DAMAGES):
            check(damaged(text, source))


@given(st.binary(max_size=60) | st.text('[]{}:,"\\u0d8eE.+-19 tfn', max_size=24).map(str.encode))
def test_any_bytes(text):
    check(text)
