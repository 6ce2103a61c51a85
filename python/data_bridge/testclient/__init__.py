"""A client for tests: requests and WebSockets go to the app itself, on a loop of ours in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import warnings
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import urljoin

from ..concurrency import is_async_callable
from ..exceptions import FastAPIDeprecationWarning
from .library import httpx
from .portal import Portal, open_portal
from .transport import Transport, Upgraded
from .websocket import WebSocketDenialResponse, WebSocketTestSession

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

    from ..types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Portal", "TestClient", "WebSocketDenialResponse", "WebSocketTestSession"]


class TestClient(httpx.Client):
    """An httpx client of the app. As a context manager it also runs the app's lifespan.

    ``raise_server_exceptions=False`` gives the 500 instead of what the app raised; ``root_path`` is where a proxy
    would have mounted the app; ``client`` is the address that the app sees. ``backend_options`` may hold a
    ``loop_factory``; data_bridge's own loop is used otherwise.
    """

    __test__ = False  # to pytest, which would collect it by its name
    #: The way into the loop while the context lasts.
    portal: Portal | None = None

    def __init__(
        self,
        app: ASGIApp,
        base_url: str = "http://testserver",
        raise_server_exceptions: bool = True,
        root_path: str = "",
        backend: Literal["asyncio"] = "asyncio",
        backend_options: dict[str, Any] | None = None,
        cookies: Any = None,
        headers: dict[str, str] | None = None,
        follow_redirects: bool = True,
        client: tuple[str, int] = ("testclient", 50000),
    ) -> None:
        if backend != "asyncio":
            raise ValueError(f"data_bridge runs on asyncio, not on {backend!r}")
        self.app: ASGIApp = app if _is_asgi3(app) else _of_asgi2(app)
        self.app_state: dict[str, Any] = {}
        self._options = backend_options
        transport = Transport(
            self.app,
            self._portal_factory,
            raise_server_exceptions,
            root_path,
            client=client,
            app_state=self.app_state,
        )
        fields = dict(headers or {})
        fields.setdefault("user-agent", "testclient")
        super().__init__(
            base_url=base_url,
            headers=fields,
            transport=transport,
            follow_redirects=follow_redirects,
            cookies=cookies,
        )

    @contextlib.contextmanager
    def _portal_factory(self) -> Iterator[Portal]:
        if self.portal is not None:
            yield self.portal
        else:
            with open_portal(self._options) as portal:
                yield portal

    def request(self, method: str, url: Any, **options: Any) -> httpx.Response:
        """Make a request; the options are those of the library's client."""
        if options.get("timeout", httpx.USE_CLIENT_DEFAULT) is not httpx.USE_CLIENT_DEFAULT:
            text = "You should not use the 'timeout' argument with the TestClient."
            warnings.warn(text, FastAPIDeprecationWarning, stacklevel=2)
        return super().request(method, self._merge_url(url), **options)

    def websocket_connect(
        self, url: str, subprotocols: Sequence[str] | None = None, **kwargs: Any
    ) -> WebSocketTestSession:
        """Open a WebSocket, by entering what this gives."""
        headers = kwargs.setdefault("headers", {})
        headers.setdefault("connection", "upgrade")
        headers.setdefault("sec-websocket-key", "testserver==")
        headers.setdefault("sec-websocket-version", "13")
        if subprotocols is not None:
            headers.setdefault("sec-websocket-protocol", ", ".join(subprotocols))
        try:
            super().request("GET", urljoin("ws://testserver", url), **kwargs)
        except Upgraded as upgraded:
            return upgraded.session
        raise RuntimeError("the transport answered a WebSocket's request by a response")

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self.portal = portal = stack.enter_context(open_portal(self._options))
            stack.callback(setattr, self, "portal", None)
            self._life = portal.call(_Life, self.app, self.app_state)
            #: The run of the app's lifespan.
            self.task: Future[Any] = portal.start_task_soon(self._life.run)
            portal.call(self._life.ask, "startup", self.task)
            stack.callback(portal.call, self._life.ask, "shutdown", self.task)
            stack.callback(self._transport.close)
            self.exit_stack = stack.pop_all()
        return self

    def __exit__(self, *_: Any) -> None:
        self.exit_stack.close()


class _Life:
    """The app's lifespan, in the portal's loop."""

    def __init__(self, app: ASGIApp, state: dict[str, Any]) -> None:
        self._app = app
        self._scope: Scope = {"type": "lifespan", "state": state}
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message | None] = asyncio.Queue()

    async def run(self) -> None:
        """Run the lifespan to its end."""
        try:
            await self._app(self._scope, self._to_app.get, self._answer)
        finally:
            self._from_app.put_nowait(None)

    async def _answer(self, message: Message) -> None:
        self._from_app.put_nowait(message)

    async def ask(self, phase: str, run: Future[Any]) -> None:
        """Tell the app of a phase and wait for its answer. Raises what the app raised instead of one."""
        self._to_app.put_nowait({"type": f"lifespan.{phase}"})
        message = await self._next(run)
        if message is None:
            raise RuntimeError(f"the app ended its lifespan without an answer to {phase}")
        assert message["type"] in (f"lifespan.{phase}.complete", f"lifespan.{phase}.failed")  # noqa: S101 - tests read it
        if message["type"].endswith("failed"):
            await self._next(run)

    async def _next(self, run: Future[Any]) -> Message | None:
        message = await self._from_app.get()
        if message is None:
            await asyncio.wrap_future(run)
        return message


def _is_asgi3(app: Any) -> bool:
    return hasattr(app, "__await__") if inspect.isclass(app) else is_async_callable(app)


def _of_asgi2(app: Any) -> ASGIApp:
    async def asgi3(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope)(receive, send)

    return asgi3
