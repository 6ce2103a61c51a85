"""ASGI's lifespan protocol, the server's side.

Start-up completes before the first accept, shutdown runs after the last answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Literal

from .exceptions import StartupFailed

logger = logging.getLogger("data_bridge.error")

Message = MutableMapping[str, Any]
AsgiApp = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]


class Lifespan:
    """One run of an app's lifespan.

    ``mode`` is ``"on"`` (the app must speak the protocol), ``"auto"`` (an app that raises on the ``lifespan`` scope is
    served without it) or ``"off"``. After :meth:`startup`, ``state`` holds what the app left for its requests
    (``None`` where the protocol is not spoken).
    """

    def __init__(self, app: AsgiApp, mode: Literal["auto", "on", "off"] = "auto") -> None:
        self.state: dict[str, Any] | None = None
        self._app = app
        self._mode = mode
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._started: asyncio.Future[Message | None]
        self._stopped: asyncio.Future[Message | None]
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """Run the app's start-up. Raises :class:`StartupFailed` where the app says so, or breaks under ``"on"``."""
        if self._mode == "off":
            return
        loop = asyncio.get_running_loop()
        self._started, self._stopped = loop.create_future(), loop.create_future()
        state: dict[str, Any] = {}
        self._inbox.put_nowait({"type": "lifespan.startup"})
        self._task = loop.create_task(self._run(state), name="lifespan")
        answer = await self._started
        if answer is None:
            self._task = None
        elif answer["type"] == "lifespan.startup.failed":
            raise StartupFailed(answer.get("message") or "the app reported lifespan.startup.failed")
        else:
            self.state = state

    async def shutdown(self) -> None:
        """Run the app's shutdown; what goes wrong is logged, since nobody is left to handle it."""
        if self._task is None:
            return
        self._inbox.put_nowait({"type": "lifespan.shutdown"})
        answer = await self._stopped
        if answer is not None and answer["type"] == "lifespan.shutdown.failed":
            logger.error("Application shutdown failed: %s", answer.get("message") or "no reason given")
        await self._task

    async def _run(self, state: dict[str, Any]) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}
        try:
            await self._app(scope, self._inbox.get, self._send)
        except Exception as error:  # noqa: BLE001 - an app may raise anything to say that it has no lifespan
            self._failed(error)
        finally:
            for waiting in (self._started, self._stopped):
                if not waiting.done():
                    waiting.set_result(None)

    def _failed(self, error: Exception) -> None:
        if self._started.done():
            last = (self._stopped if self._stopped.done() else self._started).result()
            # Who sends the traceback as the reason, as Starlette does, and raises as well, says it twice.
            told = last is not None and last["type"].endswith(".failed") and last.get("message")
            logger.log(logging.DEBUG if told else logging.ERROR, "Exception in the app's lifespan", exc_info=error)
        elif self._mode == "on":
            failure = StartupFailed("the app raised on the lifespan scope, and lifespan is 'on'")
            failure.__cause__ = error
            self._started.set_exception(failure)
        else:
            logger.debug("The app does not speak ASGI lifespan.", exc_info=error)

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind in ("lifespan.startup.complete", "lifespan.startup.failed") and not self._started.done():
            self._started.set_result(message)
        elif (
            kind in ("lifespan.shutdown.complete", "lifespan.shutdown.failed")
            and self._started.done()
            and not self._stopped.done()
        ):
            self._stopped.set_result(message)
        else:
            raise RuntimeError(f"Unexpected ASGI message {kind!r} in the lifespan protocol.")
