"""WSGI as PEP 3333 has it: what the app is given, and every way to answer."""

from __future__ import annotations

import contextvars
import json
import os
import sys
import tempfile
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Environ = dict[str, Any]
    Start = Callable[..., Callable[[bytes], None]]

#: What happened, for a later request to tell.
EVENTS: list[str] = []
#: What the program has said before it was served, and what a call says for itself.
SAID = contextvars.ContextVar[str]("said")
SAID.set("by the program")
#: A thread's own.
KEPT = threading.local()
#: Ends the wait of those that wait for each other.
MEETING = threading.Barrier(4)


def environ(environ: Environ, start: Start) -> Iterable[bytes]:
    shown = {key: value for key, value in environ.items() if isinstance(value, str | bool | tuple)}
    start("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(shown).encode()]


def echo(environ: Environ, start: Start) -> Iterable[bytes]:
    start("200 OK", [])
    return [environ["wsgi.input"].read()]


def lines(environ: Environ, start: Start) -> Iterable[bytes]:
    source = environ["wsgi.input"]
    found = [source.readline(), *source.readlines(1), source.read(3), *source]
    start("200 OK", [])
    return [json.dumps([line.decode() for line in found]).encode()]


def unread(_environ: Environ, start: Start) -> Iterable[bytes]:
    start("404 Not Here", [("X-Text", "caf\xe9")])
    return [b"not ", b"read"]


def streamed(environ: Environ, start: Start) -> Iterator[bytes]:
    """Each line of the body as soon as it is there."""
    start("200 OK", [])
    yield b""
    for line in environ["wsgi.input"]:
        yield b"got " + line


def written(_environ: Environ, start: Start) -> Iterable[bytes]:
    write = start("200 OK", [])
    write(b"by write, ")
    return [b"by return"]


class Closing:
    def __iter__(self) -> Iterator[bytes]:
        yield b"x" * 100_000
        while True:
            yield b"x" * 100_000

    def close(self) -> None:
        EVENTS.append("closed")


def endless(_environ: Environ, start: Start) -> Iterable[bytes]:
    start("200 OK", [])
    return Closing()


def file(environ: Environ, start: Start) -> Iterable[bytes]:
    source = tempfile.TemporaryFile()  # noqa: SIM115 - the wrapper closes it
    source.write(b"0123456789" * 100_000)
    source.seek(5)
    start("200 OK", [("Content-Length", "999995")])
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](source)
    return wrapped


def no_file(environ: Environ, start: Start) -> Iterable[bytes]:
    """Something like a file that is none."""
    import io

    start("200 OK", [])
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](io.BytesIO(b"like a file"), 4)
    return wrapped


def replaced(_environ: Environ, start: Start) -> Iterable[bytes]:
    start("200 OK", [])
    try:
        raise ValueError("late")
    except ValueError:
        start("503 Sorry", [], sys.exc_info())
    return [b"replaced"]


def raises(_environ: Environ, _start: Start) -> Iterable[bytes]:
    raise LookupError("of the app's own")


def exits(_environ: Environ, _start: Start) -> Iterable[bytes]:
    raise SystemExit(3)


def silent(_environ: Environ, _start: Start) -> Iterable[bytes]:
    return [b"no head"]


def twice(_environ: Environ, start: Start) -> Iterable[bytes]:
    start("200 OK", [])
    start("200 OK", [])
    return []


def wrong(_environ: Environ, start: Start) -> Iterable[bytes]:
    start("200 OK", [])
    yield "text"  # type: ignore[misc]


def injected(_environ: Environ, start: Start) -> Iterable[bytes]:
    start("200 OK", [("x", "a\r\nb: c")])
    return []


def meets(_environ: Environ, start: Start) -> Iterable[bytes]:
    """Answers once four are here at the same time."""
    MEETING.wait(60)
    start("200 OK", [])
    return [threading.current_thread().name.encode()]


class Sized:
    """A body whose head says its length; it has an end that nobody waits for, and too much where that is asked for."""

    def __init__(self, environ: Environ) -> None:
        self._environ = environ

    def __iter__(self) -> Iterator[bytes]:
        yield b"first, "
        yield b"last"
        if self._environ["QUERY_STRING"]:
            yield b"too much"

    def close(self) -> None:
        ANSWERED.wait(60)
        EVENTS.append("closed late")


#: Set once the client has what it was told to expect.
ANSWERED = threading.Event()


def sized(environ: Environ, start: Start) -> Iterable[bytes]:
    start("200 OK", [("content-length", "11")])
    return Sized(environ)


def answered(_environ: Environ, start: Start) -> Iterable[bytes]:
    ANSWERED.set()
    start("204 No Content", [])
    return []


def contexts(_environ: Environ, start: Start) -> Iterable[bytes]:
    """What is said here stays here; what a thread keeps is there for its next call."""
    said = SAID.get()
    SAID.set("by a call")
    KEPT.calls = getattr(KEPT, "calls", 0) + 1
    start("200 OK", [])
    return [json.dumps([said, KEPT.calls, threading.current_thread().name]).encode()]


def lingers(environ: Environ, start: Start) -> Iterable[bytes]:
    """Goes on once somebody opens the pipe that the query names."""
    print("lingers", flush=True)
    with open(environ["QUERY_STRING"]) as pipe:  # noqa: PTH123 - the query is a path
        print(f"went on {pipe.read()}", flush=True)
    start("200 OK", [])
    return [b"late"]


def events(_environ: Environ, start: Start) -> Iterable[bytes]:
    start("200 OK", [])
    return [json.dumps([*EVENTS, os.getpid()]).encode()]


HANDLERS = {
    f"/{handler.__name__}": handler
    for handler in (
        environ, echo, lines, unread, streamed, written, endless, file, no_file, replaced, raises, exits, silent, twice,
        wrong, injected, meets, sized, answered, contexts,
        lingers, events,
    )
}  # fmt: skip


def app(environ: Environ, start: Start) -> Iterable[bytes]:
    return HANDLERS["/" + environ["PATH_INFO"].split("/")[1]](environ, start)
