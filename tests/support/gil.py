"""The interpreter of a server, kept from its event loop for as long as a test wants."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.servers import Server


@contextlib.contextmanager
def held(server: Server, folder: Path, ask: Callable[[str], bytes]) -> Iterator[None]:
    """Hold the GIL inside of the context, by the app's `/hold-until`: a thread there opens and reads a pipe with it."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    assert b"held" in ask(f"/hold-until?pipe={quote(str(pipe))}")
    ends: list[int] = []

    def is_read() -> bool:
        with contextlib.suppress(OSError):
            ends.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        return bool(ends)

    server.wait_until(is_read)
    try:
        yield
    finally:
        os.close(ends[0])
