"""``Server``: an app served inside a program's own event loop, beside whatever else runs there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from .binds import closing, listen, url
from .loading import Target
from .loop import Loop
from .metrics import watched
from .server import Occasion, Stop, live
from .serving import interface
from .settings import chosen

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class Server:
    """A server for a loop of data_bridge that runs already. It accepts inside the context, which ends gracefully.

    For example::

        async with Server(app, port=8000) as server:
            print(server.urls)
            ...

    ``await Server(app).serve()`` serves until :meth:`stop` is called or the task is cancelled.

    ``app`` and ``options`` are those of :func:`data_bridge.serve`, less ``workers`` and ``reload``. Signal handlers and
    logging stay the program's own; a handler that raises ``SystemExit`` or ``KeyboardInterrupt`` ends its loop.
    """

    def __init__(self, app: Any, **options: Any) -> None:
        """Check everything that can be checked before. Raises ``ValueError`` or ``TypeError``."""
        self.settings = chosen(options)
        if self.settings.workers > 1 or self.settings.reload:
            raise ValueError("workers and reload start processes: use data_bridge.serve or the command line")
        self._app = Target(app).load() if isinstance(app, str) else app
        interface(self._app, self.settings)
        #: Where it listens: ``http://host:port`` for each address, `unix:path` for a Unix socket.
        self.urls: list[str] = []
        self._stop: Stop | None = None
        self._asked = False

    def stop(self) -> None:
        """Let :meth:`serve` end once the requests in progress have been answered; called again, end at once."""
        if self._stop is not None:
            self._asked = True
            self._stop.ask()

    async def serve(self) -> None:
        """Serve until :meth:`stop` is called or this is cancelled. Raises what ``async with`` raises."""
        async with self:
            await asyncio.shield(self._serving)

    async def __aenter__(self) -> Self:
        """Begin to accept.

        Raises ``RuntimeError`` outside a loop of data_bridge or on a second use, ``OSError`` where the address cannot
        be bound, and :class:`~data_bridge.exceptions.StartupFailed` where the app does not start.
        """
        loop = asyncio.get_running_loop()
        if not isinstance(loop, Loop):
            raise RuntimeError(  # noqa: TRY004 - it is the program's state that is wrong, no argument's type
                f"the server needs a loop of data_bridge, not {loop!r}: use data_bridge.run(main())"
            )
        if self._stop is not None:
            raise RuntimeError("this server was used before; make another one")
        self._stop = Stop(loop)
        accepting = loop.create_future()
        self._serving = loop.create_task(self._live(loop, self._stop, accepting), name="data_bridge.server")
        try:
            await asyncio.wait({accepting, self._serving}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if accepting.done():
                await self.__aexit__(None, None, None)
            else:
                self._serving.cancel()
            raise
        if not accepting.done():
            await self._serving  # raises why
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Answer the requests in progress, and let the app shut down."""
        if not self._asked:
            self.stop()
        await self._serving

    async def _live(self, loop: Loop, stop: Stop, accepting: asyncio.Future[None]) -> None:
        with closing(listen(self.settings)) as listeners, watched(self.settings) as board:

            def started(_: object, __: object) -> None:
                self.urls = [url(listener, self.settings) for listener in listeners]
                accepting.set_result(None)

            occasion = Occasion(listeners, started, stops_at=(), board=board)
            await live(occasion.server(loop, self.settings), stop, self._app, self.settings, occasion)
