"""One worker process as its master sees it: started, heard, asked to end, killed. Decides nothing."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from .orders import Orders

#: Seconds after its graceful time-out before a worker that was asked to end is killed.
LAST_GRACE = 2.0


class Worker:
    """A worker. ``tell(word, worker, text)`` is called with ``ready``, ``spent`` (why) and ``ended``, once each."""

    def __init__(
        self, process: asyncio.subprocess.Process, control: socket.socket, orders: Orders, tell: Callable[..., None]
    ) -> None:
        self.pid = process.pid
        #: Where it counts.
        self.slot = orders.slot
        #: It accepts, and the log has said so: set by who is told, since others may be told of before.
        self.ready = False
        #: It has given no sign of life for too long.
        self.stuck = False
        #: It was asked to end.
        self.leaving = False
        #: The worker whose place it takes once it is ready.
        self.replaces: Worker | None = None
        #: And why it takes it.
        self.why = ""
        #: When it last gave a sign of life (``time.monotonic()``).
        self.heard = time.monotonic()
        self._process = process
        self._writer: asyncio.StreamWriter | None = None
        self._tell = tell
        self._life = asyncio.create_task(self._live(control, orders.line()))

    @classmethod
    async def start(cls, orders: Orders, tell: Callable[..., None], *, own_group: bool) -> Worker:
        """Start a process and hand it ``orders``. In a group of its own a terminal's signals do not reach it."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *_interpreter(),
                "-m",
                "data_bridge.workers.worker",
                str(theirs.fileno()),
                pass_fds=(theirs.fileno(), *orders.descriptors),
                process_group=0 if own_group else None,
            )
        return cls(process, ours, orders, tell)

    @property
    def code(self) -> int | None:
        """Its exit code; negative: the signal that ended it."""
        return self._process.returncode

    def leave(self) -> None:
        """Ask it to end because others have taken over: clients are to notice nothing."""
        self.leaving = True
        if self._writer is not None:
            self._writer.write(b"leave\n")

    def end(self) -> None:
        """Ask it to finish what it is at; asked twice, it drops that."""
        self.leaving = True
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def _live(self, control: socket.socket, orders: bytes) -> None:
        reader, writer = await asyncio.open_connection(sock=control)
        self._writer = writer
        writer.write(orders)
        listening = asyncio.create_task(self._listen(reader))
        await self._process.wait()
        listening.cancel()
        writer.close()
        self._tell("ended", self)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while line := await reader.readline():
                self._hear(line.decode().rstrip())

    def _hear(self, line: str) -> None:
        self.heard = time.monotonic()
        word, _, text = line.partition(" ")
        if word == "ready":
            self._tell("ready", self)
        elif word == "spent":
            self._tell("spent", self, text)


def _interpreter() -> list[str]:
    """Give this interpreter, with the options that it was itself started with (`-X`, `-W`, `-O` …)."""
    flags: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # as multiprocessing's
    return [sys.executable, *flags]


def how_it_ended(code: int | None) -> str:
    """Say in words how a process ended."""
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
