"""`python -m tests.json.memory`: documents of every kind read and written, for valgrind to watch. Asserts nothing.

The documents are small, because each instruction costs fifty here; what size is for is `test_reading.py`.
"""

import json
import sys
import threading
from collections.abc import Callable, Iterator

from benchmarks.documents import corpus
from tests.json.test_cases import cases

from data_bridge.json import OPT_INDENT_2, OPT_SORT_KEYS, JSONDecodeError, JSONEncodeError, dumps, loads

SMALL = 20_000


def main() -> int:
    """Runs every part."""
    count = sum(read_and_written(text) for text in documents())
    unwritable()
    changed_meanwhile()
    print(f"{count} documents")
    return 0


def documents() -> Iterator[bytes]:
    """The case files, the benchmark's documents, every cut and every bad byte of one of them."""
    for kind in ("y_", "n_", "i_"):
        for case in cases(kind):
            if len(case.values[0]) < SMALL:
                yield case.values[0]
    for name in corpus.DOCUMENTS:
        text = corpus.text(name)
        # A document cut off in the midst is an error with many objects made.
        yield text if len(text) < SMALL else text[:SMALL]
        yield json.dumps(
            corpus.value(name)[:20] if text.startswith(b"[") else corpus.value("record"), indent=1
        ).encode()
    text = (
        '{"key": ["text", "中文é😀\\n\\ud83d\\ude00", 1.5e3, -12345678901234567890, null, {"in": [[], {}]}]}'.encode()
    )
    for at in range(len(text)):
        yield text[:at]
        for bad in (b"\xff", b"\xed\xa0\x80", b"\x00", b"\xf0\x9f\x98"):
            yield text[:at] + bad + text[at:]
    yield b"[" * 5000
    yield b'{"a":' * 5000
    yield b'["' + b"\\n" * 70_000 + "é".encode() * 70_000 + b'"]'
    # Each vector's width, and all that may stand at its edge.
    for length in (*range(1, 70), 127, 128, 129, 1000):
        for end in ("", "é", "漢", "😀", "\\n", "\\u00e9"):
            yield f'["{"a" * length}{end}"]'.encode()


def read_and_written(text: bytes) -> bool:
    """One document, from exact memory: what is read behind its end is another's."""
    for data in (text, memoryview(bytearray(text)), text.decode("latin-1")):
        try:
            value = loads(data, max_depth=4096)
        except JSONDecodeError:
            continue
        dumps(value)
        dumps(value, option=OPT_INDENT_2 | OPT_SORT_KEYS)
    return True


def unwritable() -> None:
    """Values that are refused in the midst of a document."""
    ring: list[object] = []
    ring.append(ring)
    for value in (ring, [object()], {"a": [1, {2: 3}]}, ["x" * 5000, "\ud800"], [[1.5, 10**400], {1}]):
        try:
            dumps(value)
        except JSONEncodeError:
            continue


def changed_meanwhile() -> None:
    """A value that another thread changes while it is written, and a buffer that it changes while it is read."""
    value = [{"key": "x" * 50, "row": [1, 2.5, None]} for _ in range(1500)]
    data = bytearray(dumps(value))
    ended = threading.Event()

    def change() -> None:
        at = 0
        while not ended.is_set():
            value.append(value.pop())
            value[at % 100] = {"key": f"y{at}"}
            data[at % len(data)] = 0x20
            at += 7

    thread = threading.Thread(target=change)
    thread.start()
    attempts: tuple[Callable[[], object], ...] = (lambda: dumps(value), lambda: loads(data))
    for _ in range(5):
        for attempt in attempts:
            try:
                attempt()
            except (JSONDecodeError, RuntimeError):
                continue
    ended.set()
    thread.join()


if __name__ == "__main__":
    sys.exit(main())
