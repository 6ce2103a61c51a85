"""`dumps` of what should break it: rings, depth, size, objects that change meanwhile. An error or a document."""

import contextlib
import gc
import json
import sys
import threading
from types import SimpleNamespace

import pytest

import data_bridge.json as ours
from data_bridge.exceptions import JSONEncodeError

DEPTH = 254


def nested(depth):
    value = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_depth():
    assert ours.dumps(nested(DEPTH)) == b"[" * DEPTH + b"]" * DEPTH
    for value in (nested(DEPTH + 2), nested(100_000)):
        with pytest.raises(JSONEncodeError, match="deeper than 254"):
            ours.dumps(value)


@pytest.mark.parametrize("option", [0, ours.OPT_INDENT_2, ours.OPT_SORT_KEYS, ours.OPT_NON_STR_KEYS])
def test_rings(option):
    ring = {}
    ring["a"] = [ring]
    with pytest.raises(JSONEncodeError, match="Circular reference"):
        ours.dumps(ring, option=option)


def test_a_ring_through_default():
    thing = SimpleNamespace()
    with pytest.raises(JSONEncodeError):
        ours.dumps([thing], default=lambda found: [found])


def test_a_document_of_100_mb():
    text = "x" * 100_000_000
    assert ours.dumps([text]) == b'["' + text.encode() + b'"]'


def test_a_million_keys():
    value = {str(number): number for number in range(1_000_000)}
    assert json.loads(ours.dumps(value)) == value


@pytest.mark.parametrize("change", [list.clear, list.pop, lambda found: found.append(1)])
def test_default_changes_the_list_it_is_in(change):
    found = [object(), *([1.5, "x"] * 10)]

    def default(_):
        change(found)

    with pytest.raises(RuntimeError, match="list changed size during serialization"):
        ours.dumps({"a": found}, default=default)


def test_default_changes_the_dictionary_it_is_in():
    for change in (dict.clear, lambda found: found.update(more=1), lambda found: found.pop("b")):
        found = {"a": object(), "b": [1]}

        def default(_, found=found, change=change):
            change(found)

        with pytest.raises(RuntimeError, match="dictionary changed size during serialization"):
            ours.dumps([found], default=default)


def test_default_replaces_what_is_being_written():
    outer = {"a": [object(), "text"], "b": 2}

    def default(_):
        outer["a"] = None
        gc.collect()
        return "replaced"

    assert ours.dumps(outer, default=default) == b'{"a":["replaced","text"],"b":2}'


@pytest.mark.parametrize("kind", [list, dict])
def test_another_thread_changes_it(kind):
    """The writer offers the GIL, so the other thread really runs within a document."""
    value = [{"key": "x" * 100, "row": [1, 2.5, None]} for _ in range(5000)]
    if kind is dict:
        value = {str(number): item for number, item in enumerate(value)}
    ended = threading.Event()

    def change():
        while not ended.is_set():
            if kind is list:
                value.append(value.pop())
                value[0] = {"key": "y"}
            else:
                value["more"] = value.pop("more", [])
                value["0"] = {"key": "y"}
                value[str(len(value))] = 1
                del value[str(len(value) - 1)]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(100):
            with contextlib.suppress(RuntimeError):  # "changed size"
                json.loads(ours.dumps(value))
    finally:
        ended.set()
        thread.join()
        sys.setswitchinterval(interval)


def test_calls_within_calls():
    def default(_):
        return ours.dumps(["x" * 100_000]).decode()

    assert len(ours.dumps([object()] * 3, default=default)) > 300_000


def test_nothing_is_left_behind():
    class Known:
        pass

    def once():
        value = [{"a": [1, 2**70, 1.5, "é" * 100, Known()]}] * 50
        ours.dumps(value, default=lambda _: {"x": ("y",)})
        for bad in ([object()], {1: 2}, nested(DEPTH + 2), ["\ud800"]):
            with pytest.raises(JSONEncodeError):
                ours.dumps(bad)

    def used():
        gc.collect()
        return sys.getallocatedblocks()

    for _ in range(20):
        once()
    before = used()
    for _ in range(300):
        once()
    assert used() - before < 100


def test_classes_are_let_go():
    before = len(gc.get_objects())
    for _ in range(200):
        kind = type("Kind", (str,), {})
        ours.dumps([kind("x")])
    del kind
    gc.collect()
    assert len(gc.get_objects()) - before < 2000
