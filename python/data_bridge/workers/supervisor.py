"""The master of several workers: keeps as many at work as are wanted, replaces them one by one, loses no connection.

It holds the listening sockets and never imports the app. Everything that happens is an event; events are handled one
after the other, so that no two can contradict.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import logging
import signal
import time
from collections import deque
from typing import TYPE_CHECKING

from ..server import CANCEL_GRACE, FORCED, LEAVE_GRACE, STOPPING
from .duty import PERIOD
from .process import LAST_GRACE, Worker, how_it_ended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .. import _native
    from .orders import Orders

logger = logging.getLogger("data_bridge")

#: Seconds before a worker is started again that ended before it was ready: doubled each time, up to the second figure.
BACKOFF = (0.1, 10.0)

_SIGNALS = {
    signal.SIGINT: "stop",
    signal.SIGTERM: "stop",
    signal.SIGHUP: "renew",
    signal.SIGTTIN: "more",
    signal.SIGTTOU: "fewer",
}


class Supervisor:
    """``run()`` gives the exit code. ``announce()`` is called once all workers accept."""

    def __init__(self, orders: Orders, where: str, board: _native.Board | None = None) -> None:
        self._orders = orders
        self._board = board
        self._settings = orders.settings
        self._where = where
        self._wanted = orders.settings.workers
        self._workers: list[Worker] = []
        self._events: asyncio.Queue[tuple[str, Worker | None, str]] = asyncio.Queue()
        #: Workers that a rolling restart has yet to replace.
        self._to_renew: deque[Worker] = deque()
        #: All workers have been ready once: from then on a failing one is tried again instead of ending everything.
        self._begun = False
        self._stopping = False
        self._failures = 0
        self._code = 0

    async def run(self) -> int:
        """Serve until SIGINT or SIGTERM; gives 0, FORCED, or the exit code of the worker that could not start."""
        with self._signals():
            watchdog = asyncio.create_task(self._watch())
            await self._fill()
            while self._workers or not self._stopping:
                event, worker, text = await self._events.get()
                await getattr(self, f"_on_{event}")(worker, text)
            watchdog.cancel()
        return self._code

    def _tell(self, event: str, worker: Worker | None = None, text: str = "") -> None:
        self._events.put_nowait((event, worker, text))

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number, event in _SIGNALS.items():
            loop.add_signal_handler(number, self._tell, event)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    async def _watch(self) -> None:
        """Kill workers whose loop has given no sign of life for `worker_timeout`.

        What this process overslept does not count: the machine or the container stood still, and they with it.
        """
        while True:
            due = time.monotonic() + PERIOD
            await asyncio.sleep(PERIOD)
            late = time.monotonic() - due
            for worker in self._workers:
                worker.heard += late
                if worker.ready and time.monotonic() - worker.heard > self._settings.worker_timeout:
                    logger.error("Worker %d gives no sign of life: it is killed and replaced.", worker.pid)
                    worker.stuck = True
                    worker.kill()

    # Events

    async def _on_ready(self, worker: Worker, _: str) -> None:
        worker.ready = True
        self._failures = 0
        logger.info("Worker %d is ready.", worker.pid)
        old, worker.replaces = worker.replaces, None
        if old is not None and not old.leaving:
            self._leave(old)
            self._count(worker.why)
        at_work = self._at_work()
        if not self._begun and len(at_work) >= self._wanted and all(each.ready for each in at_work):
            self._begun = True
            logger.info("Listening on %s (%d workers; press CTRL+C to quit)", self._where, len(at_work))
        await self._renew_next()

    async def _on_ended(self, worker: Worker, _: str) -> None:
        self._workers.remove(worker)
        if self._board is not None:
            self._board.release(worker.slot)
        for successor in self._workers:
            if successor.replaces is worker:
                successor.replaces = None
        if worker.leaving or self._stopping:
            return
        if worker.ready:
            logger.error("Worker %d %s: another takes its place.", worker.pid, how_it_ended(worker.code))
            self._count("stuck" if worker.stuck else "ended")
            await self._fill()
        elif not self._begun:
            self._give_up(worker.code if worker.code and worker.code > 0 else 1)
        else:
            self._failed(worker)

    def _failed(self, worker: Worker) -> None:
        """Say that a worker ended before it was ready, while others serve; try again where one is missing."""
        logger.error("Worker %d could not start: it %s.", worker.pid, how_it_ended(worker.code))
        if worker.replaces is not None:
            self._to_renew.clear()
            logger.error("The restart is abandoned: the workers from before serve on.")
        else:
            self._try_again()

    def _give_up(self, code: int) -> None:
        self._code = code
        self._tell("stop")

    def _try_again(self) -> None:
        first, longest = BACKOFF
        delay = min(first * 2**self._failures, longest)
        self._failures += 1
        asyncio.get_running_loop().call_later(delay, self._tell, "missing")

    async def _on_missing(self, _: None, __: str) -> None:
        await self._fill()

    async def _on_spent(self, worker: Worker, reason: str) -> None:
        logger.info("Worker %d is replaced: %s.", worker.pid, reason)
        await self._replace(worker, "spent")

    async def _on_renew(self, _: None, __: str) -> None:
        logger.info("Restarting: each worker ends when another has taken its place.")
        self._to_renew = deque(self._at_work())
        await self._renew_next()

    async def _on_more(self, _: None, __: str) -> None:
        self._wanted += 1
        logger.info("%d workers are wanted.", self._wanted)
        await self._fill()

    async def _on_fewer(self, _: None, __: str) -> None:
        if self._wanted == 1:
            logger.warning("The last worker stays.")
            return
        self._wanted -= 1
        logger.info("%d workers are wanted.", self._wanted)
        self._leave(self._at_work()[-1])

    async def _on_stop(self, _: None, __: str) -> None:
        asked_before, self._stopping = self._stopping, True
        if asked_before:
            self._code = FORCED
        else:
            logger.info(STOPPING)
        for worker in self._workers:
            if asked_before or not worker.leaving:
                self._end(worker)
            if asked_before:
                # Its second SIGTERM is none where it has not yet taken the first: the kernel keeps one of each.
                asyncio.get_running_loop().call_later(CANCEL_GRACE + LAST_GRACE, worker.kill)

    # Steps

    def _at_work(self) -> list[Worker]:
        """Give the workers that count: neither asked to end, nor there to replace one that is."""
        return [worker for worker in self._workers if not worker.leaving and worker.replaces is None]

    async def _fill(self) -> None:
        while not self._stopping and len(self._at_work()) < self._wanted:
            if await self._start() is None:
                self._try_again() if self._begun else self._give_up(1)
                return

    async def _start(self, replaces: Worker | None = None) -> Worker | None:
        try:
            worker = await Worker.start(self._next_orders(), self._tell, own_group=True)
        except OSError as error:
            logger.error("Cannot start a worker: %s", error)  # noqa: TRY400 - the text says all
            return None
        worker.replaces = replaces
        self._workers.append(worker)
        return worker

    def _next_orders(self) -> Orders:
        """Give the orders for one more worker, which counts where no living one does."""
        if self._board is None:
            return self._orders
        taken = {worker.slot for worker in self._workers}
        slot = next(number for number in itertools.count(1) if number not in taken)
        self._board.reserve(slot)
        return dataclasses.replace(self._orders, slot=slot)

    def _count(self, reason: str) -> None:
        if self._board is not None:
            self._board.count_restart(reason)

    async def _replace(self, worker: Worker, why: str) -> None:
        """Start a worker that takes this one's place once it is ready."""
        if worker.leaving or self._stopping or any(each.replaces is worker for each in self._workers):
            return
        if successor := await self._start(replaces=worker):
            successor.why = why

    async def _renew_next(self) -> None:
        """Go on with a rolling restart: one worker at a time."""
        if any(each.replaces is not None for each in self._workers):
            return
        while self._to_renew:
            worker = self._to_renew.popleft()
            if worker in self._workers and not worker.leaving:
                await self._replace(worker, "asked")
                return

    def _leave(self, worker: Worker) -> None:
        if worker.ready:
            worker.leave()
        else:
            worker.end()
        self._bury(worker)

    def _end(self, worker: Worker) -> None:
        worker.end()
        self._bury(worker)

    def _bury(self, worker: Worker) -> None:
        """Kill a worker that was asked to end, if it does not."""
        patience = self._settings.graceful_timeout + LEAVE_GRACE + CANCEL_GRACE + LAST_GRACE
        asyncio.get_running_loop().call_later(patience, worker.kill)
