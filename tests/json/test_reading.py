"""`loads` beyond the grammar: limits, options, hostile and large documents, threads, memory."""

import contextlib
import gc
import json
import random
import sys
import threading

import pytest
from benchmarks.documents import corpus

from data_bridge.json import JSONDecodeError, loads

LARGE = [name for name in corpus.DOCUMENTS if name not in ("records-1mb", "ints", "small-ints")]


@pytest.mark.parametrize("name", LARGE)
def test_the_documents_of_the_benchmark(name):
    text = corpus.text(name)
    value = json.loads(text)
    assert loads(text) == value
    assert loads(text.decode()) == value
    assert loads(json.dumps(value)) == value
    assert loads(json.dumps(value, indent=3).encode()) == value


def test_types_are_exact():
    value = loads('[1, 1.0, "a", true, null, {}, [], 10000000000000000000000]')
    assert [type(item) for item in value] == [int, float, str, bool, type(None), dict, list, int]


def test_depth_can_be_set():
    assert loads(b"[[1]]", max_depth=2) == [[1]]
    with pytest.raises(JSONDecodeError, match="More than 1 levels") as caught:
        loads(b"[[1]]", max_depth=1)
    assert caught.value.pos == 1
    assert loads(b"1", max_depth=0) == 1
    with pytest.raises(JSONDecodeError):
        loads(b"[]", max_depth=0)


def test_a_depth_bomb_costs_nothing_and_depth_costs_no_stack():
    with pytest.raises(JSONDecodeError, match="128 levels"):
        loads(b"[" * 10_000_000)
    deep = loads(b"[" * 200_000 + b"]" * 200_000, max_depth=200_000)
    levels = 0
    while deep:
        deep = deep[0]
        levels += 1
    assert levels == 199_999
    with pytest.raises(JSONDecodeError, match="Expecting value"):
        loads(b'{"a":[' * 100_000, max_depth=1_000_000)


def test_numbers_that_are_no_json_can_be_allowed():
    assert repr(loads(b"[NaN, Infinity, -Infinity, 1e999, -1e999]", allow_nan=True)) == "[nan, inf, -inf, inf, -inf]"
    with pytest.raises(JSONDecodeError, match="Expecting value"):
        loads(b"-Infinit", allow_nan=True)


def test_the_limit_on_digits_is_the_interpreters():
    before = sys.get_int_max_str_digits()
    try:
        sys.set_int_max_str_digits(640)
        assert loads(b"1" * 640) == int("1" * 640)
        with pytest.raises(JSONDecodeError, match="640 digits"):
            loads(b"1" * 641)
        sys.set_int_max_str_digits(0)
        assert loads(b"1" * 5000) == int("1" * 5000)
    finally:
        sys.set_int_max_str_digits(before)


@pytest.mark.parametrize("data", [None, 1, [], object(), {"a": 1}])
def test_what_is_no_document_is_a_type_error(data):
    with pytest.raises(TypeError, match="must be str, bytes, bytearray or memoryview"):
        loads(data)


def test_calls_that_are_wrong():
    with pytest.raises(TypeError, match="missing"):
        loads()
    with pytest.raises(TypeError, match="positional"):
        loads(b"1", b"2")
    with pytest.raises(TypeError, match="unexpected keyword"):
        loads(b"1", depth=3)
    with pytest.raises(OverflowError):
        loads(b"1", max_depth=-1)
    with pytest.raises(BufferError):
        loads(memoryview(b"[1,2]")[::2])


def test_subclasses_of_text_are_text():
    class Text(str):
        __slots__ = ()

    class Bytes(bytes):
        __slots__ = ()

    assert loads(Text('["é"]')) == loads(Bytes("['é']".replace("'", '"').encode())) == ["é"]


def test_a_string_with_a_lone_surrogate_is_refused():
    with pytest.raises(JSONDecodeError, match="Lone surrogate") as caught:
        loads('["é\ud800"]')
    assert caught.value.pos == 3


def test_a_bytearray_is_free_again_after_the_call():
    data = bytearray(b"[1, 2")
    with pytest.raises(JSONDecodeError):
        loads(data)
    data += b"]"
    assert loads(data) == [1, 2]


def test_invalid_utf8_at_every_position():
    text = json.dumps({"key": ["text", "中文é😀", 1.5, None, {"inner": "a" * 40}]}, ensure_ascii=False).encode()
    for position in range(len(text)):
        for bad in (b"\xff", b"\x80", b"\xc0", b"\xed\xa0\x80", b"\xf5"):
            for broken in (text[:position] + bad + text[position:], text[:position] + bad + text[position + 1 :]):
                try:
                    expected = json.loads(broken.decode())
                except UnicodeDecodeError:
                    with pytest.raises(JSONDecodeError):
                        loads(broken)
                else:  # the byte replaced was one that may be that
                    assert loads(broken) == expected
    assert loads(text) == json.loads(text)


def test_every_part_of_a_document_is_refused():
    text = json.dumps({"a": [1.5e3, "é\n", True, None, {"b": []}], "中": "\u0416"}).encode()
    for end in range(len(text)):
        with pytest.raises(JSONDecodeError) as ours:
            loads(text[:end])
        with pytest.raises(json.JSONDecodeError) as theirs:
            json.loads(text[:end])
        assert (ours.value.msg, ours.value.pos) == (theirs.value.msg, theirs.value.pos)


def test_floats_are_rounded_correctly():
    source = random.Random(7)
    for _ in range(100_000):
        digits = source.randrange(10 ** source.randrange(1, 20))
        text = f"{digits}e{source.randrange(-345, 310)}"
        expected = float(text)
        if expected != float("inf"):
            assert loads(text.encode()) == expected, text
    for _ in range(50_000):
        value = source.uniform(-1, 1) * 10.0 ** source.randrange(-300, 300)
        assert loads(repr(value)) == value
        assert loads(f"{value:.25e}") == value


def test_floats_half_way_between_two():
    for exponent in range(-30, 64):
        for mantissa in (2**53 - 1, 2**52 + 1, 6_369_051_672_525_773):
            below = mantissa * 2.0**exponent
            half = mantissa * 2 + 1
            power = exponent - 1
            number = half * 2**power if power >= 0 else half * 5**-power
            text = f"{number}e{min(power, 0)}"
            assert loads(text.encode()) == float(text)
            assert loads(f"{text[: text.index('e')]}1e{min(power, 0) - 1}") >= below


def test_a_string_of_100_megabytes():
    for piece in (b"a" * 100, "é中".encode() * 20, b"a" * 99 + b"\\n"):
        content = piece * (100_000_000 // len(piece))
        value = loads(b'"' + content + b'"')
        assert value == content.replace(b"\\n", b"\n").decode()
        with pytest.raises(JSONDecodeError, match="Unterminated"):
            loads(b'"' + content)


def test_a_million_keys():
    text = b"{" + b",".join(b'"key%d":%d' % (number, number) for number in range(1_000_000)) + b"}"
    value = loads(text)
    assert len(value) == 1_000_000
    assert value["key999999"] == 999_999
    assert list(value)[:2] == ["key0", "key1"]


def test_keys_are_shared_and_what_the_table_forgets_lives_on():
    first, second = loads(b'[{"some_key":1},{"some_key":2}]')
    assert next(iter(first)) is next(iter(second))
    kept = [loads(b'{"key-%d":0}' % number) for number in range(20_000)]
    assert [next(iter(found)) for found in kept] == [f"key-{number}" for number in range(20_000)]


def test_shapes_that_change_from_record_to_record():
    source = random.Random(3)
    names = [f"n{number}" for number in range(12)] + ["é", "a" * 40, "中" * 10]
    records = [
        {name: number for number, name in enumerate(source.sample(names, source.randrange(len(names))))}
        for _ in range(5_000)
    ]
    text = json.dumps(records, ensure_ascii=False)
    assert [list(found.items()) for found in loads(text)] == [list(record.items()) for record in records]


def test_threads_read_at_once_and_change_what_they_gave():
    text = corpus.text("twitter")
    expected = json.loads(text)
    results = []

    def read(number):
        data = bytearray(text)
        own = b'{"t%d":[%d]}' % (number, number)
        good = all(loads(data) == expected and loads(own) == {f"t{number}": [number]} for _ in range(10))
        results.append(good)

    def write(data):
        for index in range(0, len(data), 7):
            data[index] = 0x20

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        data = bytearray(text)
        writer = threading.Thread(target=write, args=(data,))
        writer.start()
        with contextlib.suppress(JSONDecodeError):
            loads(data)
        writer.join()
    for thread in threads:
        thread.join()
    assert results == [True] * 4


def test_nothing_is_leaked():
    texts = [corpus.text(name) for name in ("record", "records-100", "twitter")]
    bad = [text[: len(text) // divisor] for text in texts for divisor in (2, 3, 5)]
    bad += [b'["\\ud800"]', b'[{"a":1,"a":"\xff"}]', b"[1e999]", b"1" * 5000, '["\ud800"]', b"[" * 200]

    def work():
        for text in texts:
            loads(text)
        for text in bad:
            with pytest.raises(JSONDecodeError):
                loads(text)

    work()
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(20):
        work()
    gc.collect()
    assert sys.getallocatedblocks() - before < 200


def test_references_are_balanced():
    value = loads(b'[{"balanced_key":"text"}]')
    [found] = value
    [(key, text)] = found.items()
    # Ours, the dictionary's, the argument's; a key has one more in the table.
    assert sys.getrefcount(text) == 3
    assert sys.getrefcount(key) == 4
    assert sys.getrefcount(found) == 3
    none = sys.getrefcount(None)
    loads(b"[" + b"null," * 1000 + b"null]")
    assert abs(sys.getrefcount(None) - none) < 50


def test_containers_are_seen_by_the_garbage_collector():
    value = loads(b'[{"self":[]}]')
    value[0]["self"].append(value)
    assert gc.is_tracked(value)
    assert gc.is_tracked(value[0])
    del value
    assert gc.collect() >= 3
