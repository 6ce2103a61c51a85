"""`dumps` beside orjson: equal but for what docs/reference/json.md lists."""

import json

import pytest
from hypothesis import given

import data_bridge.json as ours

from .values import RICH_DOCUMENTS

orjson = pytest.importorskip("orjson")

OPTIONS = [
    "OPT_INDENT_2",
    "OPT_NAIVE_UTC",
    "OPT_NON_STR_KEYS",
    "OPT_OMIT_MICROSECONDS",
    "OPT_SERIALIZE_NUMPY",
    "OPT_SORT_KEYS",
    "OPT_STRICT_INTEGER",
    "OPT_UTC_Z",
    "OPT_PASSTHROUGH_SUBCLASS",
    "OPT_PASSTHROUGH_DATETIME",
    "OPT_APPEND_NEWLINE",
    "OPT_PASSTHROUGH_DATACLASS",
    "OPT_SERIALIZE_DATACLASS",
    "OPT_SERIALIZE_UUID",
]


def parsed_numbers(text: bytes) -> object:
    """The document with floats as values: orjson writes an exponent without sign and leading zero."""
    return json.loads(text, parse_float=float)


@pytest.mark.parametrize("name", OPTIONS)
def test_options_have_orjsons_names_and_values(name):
    assert getattr(ours, name) == getattr(orjson, name)


@given(RICH_DOCUMENTS)
def test_equal_documents(value):
    assert parsed_numbers(ours.dumps(value)) == parsed_numbers(orjson.dumps(value))


@pytest.mark.parametrize(
    "name", ["OPT_NAIVE_UTC", "OPT_UTC_Z", "OPT_OMIT_MICROSECONDS", "OPT_INDENT_2", "OPT_SORT_KEYS"]
)
@given(value=RICH_DOCUMENTS)
def test_equal_documents_with_options(name, value):
    option = getattr(orjson, name)
    assert parsed_numbers(ours.dumps(value, option=option)) == parsed_numbers(orjson.dumps(value, option=option))
