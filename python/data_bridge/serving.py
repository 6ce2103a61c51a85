"""`serve()`: an app, a server and an event loop, from bind to exit."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from typing import TYPE_CHECKING, Any

from . import logs, pidfile
from .adapters import compiles
from .binds import closing, listen, url
from .exceptions import StartupFailed
from .loading import Failure, Target
from .loop import new_event_loop
from .metrics import watched
from .server import Occasion, serve_on
from .settings import chosen
from .wsgi import is_wsgi, takes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .settings import Settings

logger = logging.getLogger("data_bridge")


def serve(app: Any, **options: Any) -> None:
    """Serve ``app`` until SIGINT or SIGTERM; returns after the last request was answered.

    ``app`` is an ASGI 3.0 or WSGI application (FastAPI, Django, Flask, ...) or a :class:`data_bridge.App`; or its name,
    ``"module:app"``, which ``workers`` and ``reload`` need: their processes import it. ``options`` are the fields of
    :class:`data_bridge.settings.Settings`; what is not given is taken from ``DATA_BRIDGE_*`` in the environment, else
    from the defaults.

    Raises ``ValueError`` or ``TypeError`` for wrong options or apps, ``OSError`` where the address cannot be bound, and
    :class:`data_bridge.exceptions.StartupFailed` where the app's start-up fails: all before the first request. Workers
    say themselves why they cannot start; then ``SystemExit`` is raised.
    """
    settings = chosen(options)
    if code := serve_as_set(Target(app) if isinstance(app, str) else app, settings):
        sys.exit(code)


def serve_as_set(app: Any, settings: Settings) -> int:
    """Serve ``app``, or the one that a :class:`Target` names, in this process or in workers; gives the exit code."""
    logs.configure(settings)
    with pidfile.written(settings.pidfile):
        return _serve(app, settings)


def _serve(app: Any, settings: Settings) -> int:
    if settings.workers > 1 or settings.reload:
        if not isinstance(app, Target):
            raise ValueError("workers and reload start processes that import the app: serve('module:app', workers=4)")
        return _in_workers(app, settings)
    if isinstance(app, Target):
        app = app.load()
    kind = interface(app, settings)
    with closing(listen(settings)) as listeners, watched(settings) as board:

        def announce(_: object, __: object) -> None:
            for listener in listeners:
                logger.info("Listening on %s (%s; press CTRL+C to quit)", url(listener, settings), kind)

        serve_here(app, settings, Occasion(listeners, announce, board=board))
    return 0


def serve_here(app: Any, settings: Settings, occasion: Occasion) -> None:
    """Serve ``app`` in this process."""
    with asyncio.Runner(debug=settings.debug or None, loop_factory=new_event_loop) as runner:
        serve_on(runner.get_loop(), app, settings, occasion)


def _in_workers(target: Target, settings: Settings) -> int:
    """Serve by processes that this one starts and watches; gives the exit code."""
    from .workers.orders import Orders  # noqa: PLC0415 - one process does without all of this
    from .workers.reloader import Reloader  # noqa: PLC0415
    from .workers.supervisor import Supervisor  # noqa: PLC0415

    with closing(listen(settings)) as listeners, watched(settings) as board:
        numbers = tuple(listener.fileno() for listener in listeners)
        orders = Orders(target, settings, numbers, board=None if board is None else board.fileno())
        where = ", ".join(url(listener, settings) for listener in listeners)
        master = Reloader(orders, where, board) if settings.reload else Supervisor(orders, where, board)
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            return runner.run(master.run())


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn what can go wrong before the first request into a :class:`Failure`, for a command line."""
    try:
        yield
    except StartupFailed as error:
        logging.getLogger("data_bridge.error").error("%s", error, exc_info=error.__cause__)  # noqa: TRY400 - the cause is the app's
        raise Failure("the app's start-up failed, nothing was served (see above)", code=3) from None
    except OSError as error:
        raise Failure(error.strerror or str(error)) from None
    except (TypeError, ValueError) as error:
        raise Failure(str(error), code=2) from None


def interface(app: Any, settings: Settings) -> str:
    """Say how ``app`` will be called. Raises ``TypeError`` where it is nothing that can be served."""
    if not callable(app):
        raise TypeError(f"the app must be an ASGI 3.0 application, but {app!r} is not callable")
    if compiles(app, settings):
        return "data_bridge.App" if hasattr(type(app), "__data_bridge_plan__") else "FastAPI, compiled"
    if is_wsgi(app, settings):
        return "WSGI"
    if not takes(app, 3):
        hint = next((hint for count, hint in _NOT_ASGI_3.items() if takes(app, count)), "")
        raise TypeError(
            f"{app!r} is no ASGI 3.0 application, which is called as app(scope, receive, send){hint and f'; {hint}'}"
        )
    return "ASGI 3.0"


#: What an app may be that takes so many arguments instead of three.
_NOT_ASGI_3 = {
    2: "if it is a WSGI application, leave out --interface asgi",
    1: "if it is an ASGI 2.0 application, wrap it with asgiref.compatibility.guarantee_single_callable",
    0: "if it is a function that makes the app, use --factory",
}
