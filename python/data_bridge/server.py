"""One server's life on the running loop: bind, start-up, accept, wait for a signal, drain, shut down."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import _native
from .adapters import adapt, compiles
from .lifespan import AsgiApp, Lifespan
from .metrics import Figures
from .wsgi import Wsgi, is_wsgi

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import FrameType

    from .settings import Settings

logger = logging.getLogger("data_bridge.error")

#: Seconds that cancelled handlers get to clean up.
CANCEL_GRACE = 1.0
#: Seconds that idle connections get to end with a response, where other workers serve on.
LEAVE_GRACE = 5.0
#: The exit code of an end that a second signal forced.
FORCED = 130
#: What the user reads who asked for the stop.
STOPPING = "Stopping: requests in progress may finish (once more to end at once)."


class Stop:
    """What SIGINT and SIGTERM ask for: the first a graceful stop, the second an end at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop, farewell: str = STOPPING) -> None:
        self._farewell = farewell
        self.asked = asyncio.Event()
        self.forced = asyncio.Event()
        self.gently = False
        self._loop = loop

    def ask(self, *, gently: bool = False) -> None:
        """Ask for a graceful stop; once more: for an end at once. Callable from any thread and from signal handlers.

        ``gently`` says that others serve on: idle connections get time to end with a response.
        """
        self.gently = gently
        event = self.forced if self.asked.is_set() else self.asked
        self._loop.call_soon_threadsafe(event.set)

    def on_signal(self, _signum: int, _frame: FrameType | None) -> None:
        """Handle a signal; the second one also breaks out of a handler that does not return."""
        if self.asked.is_set():
            self.forced.set()
            raise KeyboardInterrupt
        # At once, for the next signal may be here already; by way of the loop as well, for it may be asleep.
        self.asked.set()
        self._loop.call_soon_threadsafe(self.asked.set)
        logger.info(self._farewell)

    @contextlib.contextmanager
    def signals(self, numbers: Iterable[int]) -> Iterator[None]:
        """Listen to signals inside; the former handlers are put back at the end. Main thread only."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        former = {number: signal.signal(number, self.on_signal) for number in numbers}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


@dataclass(frozen=True)
class Occasion:
    """Where and for whom an app is served."""

    #: Sockets that listen; they stay their owner's.
    listeners: Sequence[socket.socket]
    #: Called once the server accepts.
    started: Callable[[_native.Server, Stop], None]
    #: The signals that end it.
    stops_at: Sequence[int] = (signal.SIGINT, signal.SIGTERM)
    #: Logged when the first of them comes.
    farewell: str = STOPPING
    #: Where the server counts, and in which slot.
    board: _native.Board | None = None
    slot: int = 0

    def server(self, loop: asyncio.AbstractEventLoop, settings: Settings) -> _native.Server:
        """Make the server, which is yet to start."""
        numbers = [listener.fileno() for listener in self.listeners]
        return _native.Server(loop, settings, numbers, self.board, self.slot)


def serve_on(loop: asyncio.AbstractEventLoop, app: AsgiApp, settings: Settings, occasion: Occasion) -> None:
    """Serve ``app`` on ``loop`` until a signal ends it.

    Raises :class:`~data_bridge.exceptions.StartupFailed` where the app does not start, and ``KeyboardInterrupt`` where
    a second signal forced the end.
    """
    server = occasion.server(loop, settings)
    stop = Stop(loop, occasion.farewell)
    life = loop.create_task(live(server, stop, app, settings, occasion), name="data_bridge.server")
    while True:
        try:
            loop.run_until_complete(life)
        except (SystemExit, KeyboardInterrupt) as error:
            # asyncio lets both end the loop. Raised by a handler, they are that request's failure and nothing more.
            if life.done() or stop.forced.is_set() or not _is_of_a_request(error, server):
                raise
        else:
            if stop.forced.is_set():
                raise KeyboardInterrupt  # wherever the one that the signal raised was caught
            return


def _is_of_a_request(error: BaseException, server: _native.Server) -> bool:
    return any(task.done() and not task.cancelled() and task.exception() is error for task in server.tasks())


async def live(
    server: _native.Server,
    stop: Stop,
    app: AsgiApp,
    settings: Settings,
    occasion: Occasion,
) -> None:
    """Serve ``app`` on the running loop until ``stop`` is asked for or a signal of ``occasion`` comes."""
    if settings.debug:
        _show_errors(app)
    wsgi = Wsgi(app, settings) if not compiles(app, settings) and is_wsgi(app, settings) else None
    Figures.of(app, occasion.board)
    lifespan = Lifespan(app, settings.lifespan if wsgi is None else "off")
    served = adapt(app, settings, asyncio.get_running_loop())
    with stop.signals(occasion.stops_at), _hangup(server, settings, occasion):
        try:
            await lifespan.startup()
            if wsgi is not None:
                await server.start_wsgi(wsgi)
            elif served is not None and served.obstacle(settings.root_path) is None:
                await server.start_adapted(served, settings.root_path, lifespan.state)
            else:
                await server.start(app, settings.root_path, lifespan.state)
            occasion.started(server, stop)
            await stop.asked.wait()
            await _drain(server, stop, settings.graceful_timeout)
            if not stop.forced.is_set():
                await server.flush_log()
        finally:
            server.close()
        await lifespan.shutdown()


def _show_errors(app: object) -> None:
    """Let an app with a debug mode like Starlette's have it; for others the server answers with tracebacks."""
    logger.warning("Debug mode: clients see tracebacks, and the event loop checks itself. Not for production.")
    if hasattr(app, "debug") and hasattr(app, "build_middleware_stack"):
        app.debug = True


@contextlib.contextmanager
def _hangup(server: _native.Server, settings: Settings, occasion: Occasion) -> Iterator[None]:
    """Read the certificates anew at SIGHUP inside, where there are any and signals are ours. Main thread only."""
    ours = settings.ssl_certfile and occasion.stops_at
    if not ours or threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    reading: set[asyncio.Future[None]] = set()

    def read() -> None:
        future = asyncio.ensure_future(server.reload_certificates())
        reading.add(future)
        future.add_done_callback(reading.discard)

    loop.add_signal_handler(signal.SIGHUP, read)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


async def _drain(server: _native.Server, stop: Stop, grace: float) -> None:
    """Let what is in progress finish within ``grace`` seconds, unless forced; then cancel what is left."""
    finished = asyncio.ensure_future(_finish(server, grace, gently=stop.gently))
    forced = asyncio.ensure_future(stop.forced.wait())
    await asyncio.wait({finished, forced}, return_when=asyncio.FIRST_COMPLETED)
    finished.cancel()
    forced.cancel()
    left = server.tasks()
    if left:
        logger.warning("Cancelling %d request(s) that did not finish in time.", len(left))
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=CANCEL_GRACE)
    if calls := server.calls():
        logger.warning("Abandoning %d WSGI call(s) that did not finish in time.", calls)


async def _finish(server: _native.Server, grace: float, *, gently: bool) -> None:
    """Wait for the responses, then for what apps do after them (background tasks)."""
    if gently:
        await server.leave(min(grace, LEAVE_GRACE))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(grace):
            await server.drain(grace)
            while tasks := server.tasks():
                await asyncio.wait(tasks)
