"""The master of a worker that follows the files: it ends and starts again whenever the app's sources change.

The listening sockets are the master's: while the worker changes, clients wait instead of being refused.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import logging
import signal
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from .. import _native
from ..server import CANCEL_GRACE
from .process import LAST_GRACE, Worker, how_it_ended

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..settings import Settings
    from .orders import Orders

logger = logging.getLogger("data_bridge")

#: Seconds that requests in progress get when the sources change.
GRACE = 0.3
#: Seconds without another change before the worker is started again: editors write in several steps.
QUIET = 0.05

#: Files of a new folder that are looked at.
_MOST = 10_000

#: Where the one worker counts; 0 is the master's.
_SLOT = 1


class Reloader:
    """``run()`` gives the exit code; ``where`` is what the start-up line says."""

    def __init__(self, orders: Orders, where: str, board: _native.Board | None = None) -> None:
        settings = orders.settings
        self._board = board
        if board is not None:
            board.reserve(_SLOT)
        hasty = dataclasses.replace(settings, graceful_timeout=min(settings.graceful_timeout, GRACE))
        self._orders = dataclasses.replace(orders, settings=hasty, slot=_SLOT)
        self._where = where
        self._folders = [str(Path(folder).resolve()) for folder in settings.reload_dirs or (orders.target.app_dir,)]
        self._wanted = Filter(settings, self._folders)
        self._changed = asyncio.Event()
        self._stop = asyncio.Event()
        self._changes: list[str] = []

    async def run(self) -> int:
        """Serve until SIGINT or SIGTERM; gives 0."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        watcher = _native.Watcher(self._folders)
        loop.add_reader(watcher.fileno(), self._look, watcher)
        logger.info("Listening on %s (press CTRL+C to quit)", self._where)
        logger.info("Watching %s for changes.", ", ".join(self._folders))
        try:
            while not self._stop.is_set():
                await self._serve_until_changed()
        finally:
            loop.remove_reader(watcher.fileno())
            watcher.close()
        return 0

    async def _serve_until_changed(self) -> None:
        self._changed.clear()
        ended = asyncio.Event()

        def tell(event: str, *_: object) -> None:
            if event == "ended":
                ended.set()
                if self._board is not None:
                    self._board.release(_SLOT)

        worker = await Worker.start(self._orders, tell, own_group=False)
        await _first(self._stop, self._changed, ended)
        if ended.is_set() and not self._stop.is_set():
            logger.error("The worker %s: waiting for a change.", how_it_ended(worker.code))
            await _first(self._stop, self._changed)
        await self._settle()
        if not ended.is_set():
            worker.end()
            asyncio.get_running_loop().call_later(GRACE + CANCEL_GRACE + LAST_GRACE, worker.kill)
            await ended.wait()

    async def _settle(self) -> None:
        """Wait until the files are quiet, and say which they were."""
        seen = -1
        while self._changes and seen != len(self._changes):
            seen = len(self._changes)
            await asyncio.sleep(QUIET)
        if self._changes:
            logger.info("Changed: %s. Starting again.", ", ".join(sorted(set(self._changes))))
            self._changes.clear()

    def _look(self, watcher: _native.Watcher) -> None:
        wanted = self._wanted.of(watcher.take())
        if wanted:
            self._changes.extend(wanted)
            self._changed.set()


class Filter:
    """Which files count: those that a pattern includes and none excludes, by a part of their path below the folder."""

    def __init__(self, settings: Settings, folders: Iterable[str]) -> None:
        self._includes = settings.reload_includes
        self._excludes = settings.reload_excludes
        self._folders = [Path(folder) for folder in folders]

    def of(self, paths: Iterable[Path]) -> list[str]:
        """Give the paths that count, relative to the watched folder. A folder that came counts for what is in it."""
        below = (self._below(file) for path in paths for file in self._files(path))
        return [str(path) for path in below if _fits(path, self._includes) and not _fits(path, self._excludes)]

    def _files(self, path: Path) -> Iterable[Path]:
        """Give ``path``, or the files of a folder: of one that was moved here, the system names no others."""
        if _fits(self._below(path), self._excludes) or not path.is_dir():
            return (path,)
        return itertools.islice(path.rglob("*"), _MOST)

    def _below(self, path: Path) -> Path:
        return next((path.relative_to(folder) for folder in self._folders if path.is_relative_to(folder)), path)


def _fits(path: Path, patterns: Iterable[str]) -> bool:
    return any(fnmatch(part, pattern) for pattern in patterns for part in (*path.parts, str(path)))


async def _first(*events: asyncio.Event) -> None:
    """Wait for one of several events."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
