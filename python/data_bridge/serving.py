"""`serve()`: an app, a server and an event loop, from bind to exit."""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import TYPE_CHECKING, Any

from . import logs
from .adapters import compiles
from .loop import new_event_loop
from .server import runs_plan, serve_on
from .settings import Settings, from_environment

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger("data_bridge")


def serve(app: Any, **options: Any) -> None:
    """Serve ``app`` until SIGINT or SIGTERM; returns after the last request was answered.

    ``app`` is an ASGI 3.0 application (FastAPI, Starlette, Django, ...) or a :class:`data_bridge.App`. ``options`` are
    the fields of :class:`data_bridge.settings.Settings`; what is not given is taken from ``DATA_BRIDGE_*`` in the
    environment, else from the defaults.

    Raises ``ValueError`` or ``TypeError`` for wrong options or apps, ``OSError`` where the address cannot be bound, and
    :class:`data_bridge.exceptions.StartupFailed` where the app's start-up fails: all before the first request.
    """
    settings = Settings(**{**from_environment(), **options})
    logs.configure(settings)
    kind = interface(app, settings)

    def started(addresses: list[tuple[str, int]]) -> None:
        _announce(addresses, kind)

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        serve_on(runner.get_loop(), app, settings, started)


def interface(app: Any, settings: Settings) -> str:
    """Say how ``app`` will be called. Raises ``TypeError`` where it is nothing that can be served."""
    if not callable(app):
        raise TypeError(f"the app must be an ASGI 3.0 application, but {app!r} is not callable")
    if runs_plan(app, settings):
        return "data_bridge.App"
    if compiles(app, settings):
        return "FastAPI, compiled"
    if not _takes(app, 3):
        hint = next((hint for count, hint in _NOT_ASGI_3.items() if _takes(app, count)), "")
        raise TypeError(
            f"{app!r} is no ASGI 3.0 application, which is called as app(scope, receive, send){hint and f'; {hint}'}"
        )
    return "ASGI 3.0"


#: What an app may be that takes so many arguments instead of three.
_NOT_ASGI_3 = {
    2: "if it is a WSGI application, wrap it, for example with a2wsgi",
    1: "if it is an ASGI 2.0 application, wrap it with asgiref.compatibility.guarantee_single_callable",
    0: "if it is a function that makes the app, use --factory",
}


def _takes(app: Callable[..., Any], count: int) -> bool:
    """Whether ``app`` can be called with ``count`` arguments, as far as its signature tells."""
    try:
        inspect.signature(app).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # something native that does not tell
        return True
    return True


def _announce(addresses: list[tuple[str, int]], kind: str) -> None:
    for host, port in addresses:
        shown = f"[{host}]" if ":" in host else host
        logger.info("Listening on http://%s:%d (%s; press CTRL+C to quit)", shown, port, kind)
