"""numpy's arrays and scalars as JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import data_bridge.json as ours

numpy = pytest.importorskip("numpy")

KINDS = ["float64", "float32", "float16", *(f"{sign}int{size}" for sign in ("", "u") for size in (8, 16, 32, 64))]


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_and_scalars_read_back(kind):
    array = numpy.array([[0, 1, 2], [100, 7, 5]], dtype=kind)
    for shape in (array, array.reshape(3, 2, 1), array[:, 1], array.T, array[:0], numpy.array(3, dtype=kind)):
        assert json.loads(ours.dumps(shape)) == shape.tolist()
    assert json.loads(ours.dumps(array[1, 0])) == 100


def test_short_floats_have_their_own_shortest_form():
    assert ours.dumps(numpy.array([0.1, numpy.nan], dtype="float32")) == b"[0.1,null]"
    assert ours.dumps(numpy.float32(0.1)) == b"0.1"
    assert ours.dumps(numpy.float64(0.1)) == b"0.1"


def test_other_kinds():
    assert ours.dumps(numpy.array([True, False])) == b"[true,false]"
    assert ours.dumps(numpy.bool_(True)) == b"true"
    assert ours.dumps(numpy.array(["a", "é"])) == '["a","é"]'.encode()
    assert ours.dumps(numpy.array([1, 2], dtype=">i4")) == b"[1,2]"
    moments = numpy.array(["2026-01-02T03:04:05.000006", "NaT"], dtype="datetime64[ns]")
    assert ours.dumps(moments) == b'["2026-01-02T03:04:05.000006",null]'
    assert ours.dumps(moments[0]) == b'"2026-01-02T03:04:05.000006"'
    assert ours.dumps({numpy.int64(1): 1}, option=ours.OPT_NON_STR_KEYS) == b'{"1":1}'


@given(st.lists(st.floats(width=32), max_size=20))
def test_equals_orjson(values):
    orjson = pytest.importorskip("orjson")
    array = numpy.array(values, dtype="float32")
    theirs = orjson.dumps(array, option=orjson.OPT_SERIALIZE_NUMPY)
    assert json.loads(ours.dumps(array)) == json.loads(theirs)
