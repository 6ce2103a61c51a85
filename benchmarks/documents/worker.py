"""`python -m benchmarks.documents.worker DIRECTION DOCUMENT REPEATS LIBRARY …`: one document in all of them, in turn.

Runs in the environment that is measured, one process for each document. Prints a JSON object on one line.
"""

import gc
import json
import sys
import time
from typing import Any

from benchmarks.documents import corpus
from benchmarks.documents.libraries import LIBRARIES, Call

#: One sample takes at least this much CPU time, so that the clock and the loop around the call do not count.
SAMPLE_NS = 20_000_000


def main() -> int:
    """Measures and prints."""
    direction, document, repeats, *names = sys.argv[1:]
    found = measure(direction, document, int(repeats), names)
    print(json.dumps(found))
    return 0


def measure(direction: str, document: str, repeats: int, names: list[str]) -> dict[str, Any]:
    """Library → its samples in ns per call, or `absent` and why."""
    # What was there before is not what is measured, but a collection on the way would walk all of it.
    gc.freeze()
    argument = corpus.text(document) if direction == "loads" else corpus.value(document)
    records: dict[str, Any] = {}
    calls: dict[str, tuple[Call, int]] = {}
    for name in names:
        try:
            call = LIBRARIES[name]()[direction]
            _check(direction, call, argument)
        except (ImportError, AttributeError, KeyError) as reason:
            records[name] = {"absent": repr(reason)}
        else:
            calls[name] = (call, _rounds(call, argument))
            records[name] = {"ns": []}
    for _ in range(repeats):
        for name, (call, rounds) in calls.items():
            records[name]["ns"].append(_sample(call, argument, rounds) / rounds)
    size = len(argument) if direction == "loads" else len(corpus.text(document))
    return {"bytes": size, "libraries": records}


def _check(direction: str, call: Call, argument: Any) -> None:
    result = call(argument)
    if direction == "loads":
        if result != json.loads(argument):
            raise AssertionError("the library read something else than json.loads")
    elif isinstance(result, int):
        if result != len(json.dumps(argument, ensure_ascii=False, separators=(",", ":")).encode()):
            raise AssertionError("the response has another length")
    elif json.loads(result) != ([vars(model) for model in argument] if direction == "models" else argument):
        raise AssertionError("the library wrote what json.loads reads differently")


def _rounds(call: Call, argument: Any) -> int:
    rounds = 1
    while (spent := _sample(call, argument, rounds)) < SAMPLE_NS // 4:
        rounds *= 4
    return max(1, round(rounds * SAMPLE_NS / spent))


def _sample(call: Call, argument: Any, rounds: int) -> int:
    loop = range(rounds)
    begin = time.thread_time_ns()
    for _ in loop:
        call(argument)
    return time.thread_time_ns() - begin


if __name__ == "__main__":
    sys.exit(main())
