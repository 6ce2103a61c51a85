"""What is JSON and what is not: the cases of `cases.txt`, on every kind of input, beside the standard library."""

import ast
import json
from pathlib import Path

import pytest

from data_bridge.json import JSONDecodeError, loads


def cases(kind):
    lines = (Path(__file__).parent / "cases.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line.startswith(kind)]
    return [pytest.param(literal(row[1]), *row[2:], id=row[0]) for row in rows]


def literal(text):
    """`b'…'`, repeated with `* COUNT`, joined by ` + `."""
    tree = ast.parse(text, mode="eval").body
    return fold(tree)


def fold(node):
    match node:
        case ast.BinOp(left, ast.Add(), right):
            return fold(left) + fold(right)
        case ast.BinOp(left, ast.Mult(), ast.Constant(int(count))):
            return fold(left) * count
        case ast.Constant(bytes(value)):
            return value
    raise ValueError(f"not a literal: {ast.dump(node)}")


def inputs(text):
    yield text
    yield bytearray(text)
    yield memoryview(text)
    yield memoryview(b"x" + text + b"x")[1:-1]
    try:
        yield text.decode()
    except UnicodeDecodeError:
        return


def refusal(read, data):
    with pytest.raises(JSONDecodeError) as caught:
        read(data)
    error = caught.value
    return error.msg, error.pos, error.lineno, error.colno, error.doc


@pytest.mark.parametrize("text", cases("y_"))
def test_json_is_read_as_the_standard_library_reads_it(text):
    expected = repr(json.loads(text))
    for data in inputs(text):
        assert repr(loads(data)) == expected


@pytest.mark.parametrize("text", cases("n_"))
def test_what_is_no_json_is_refused_with_the_standard_librarys_words_and_position(text):
    expected = refusal(json.loads, text)
    for data in inputs(text):
        assert refusal(loads, data) == expected


@pytest.mark.parametrize(("text", "outcome"), cases("i_"))
def test_what_the_standard_leaves_open_is_decided_here(text, outcome):
    for data in inputs(text):
        if outcome == "accepted":
            assert loads(data) == json.loads(text)
        else:
            message, position, *_ = refusal(loads, data)
            assert f"{message} @ {position}" == outcome
