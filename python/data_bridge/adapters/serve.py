"""An app as our server serves it: by its compiled routes, and by the app itself for all else."""

from __future__ import annotations

import functools
import inspect
import sys
from typing import TYPE_CHECKING, Any

from ..executor import DefaultExecutor
from . import framework_of
from .front import MAX_BODY, Front
from .layers import known_layers
from .respond import WORK, of_error, of_result
from .routes import Routes

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from .._native import Operations
    from .routes import Explained

#: Threads for `def` endpoints: as many as AnyIO has.
THREADS = 40


class Served:
    """What `_native.Server.start_adapted` reads: the app, its routes, and what calls of them need."""

    of_result = staticmethod(of_result)
    of_error = staticmethod(of_error)
    work_key = WORK

    def __init__(self, app: Any, loop: AbstractEventLoop) -> None:
        self.app = app
        framework = framework_of(app)
        #: Bytes beyond which the app refuses a body. Ours compiles beside it; where FastAPI has one nothing does.
        self.refuses_beyond: int | None = getattr(app, "max_body_size", None)
        #: Whether that is answered as an app without handlers of its own does.
        self.refuses_plainly = self.refuses_beyond is not None and refuses_plainly(app)
        self.max_body_size = MAX_BODY if self.refuses_beyond is None else min(MAX_BODY, self.refuses_beyond)
        self.response_class = framework.Response
        self.response_call = framework.Response.__call__
        #: What the server does around the routes in the place of the app's middleware, the outermost layer first.
        self.layers = known_layers(app).layers
        self._front = put_in_front(app)
        threads = getattr(app, "threads", THREADS)
        self.submit = DefaultExecutor(threads, "data_bridge", functools.partial(_claim_thread, loop)).post

    def obstacle(self, root_path: str = "") -> str | None:
        """Say why each request has to go through the app itself, if it has to."""
        return obstacle(self.app) or ("the server has a root_path" if root_path else None)

    def compiled(self) -> Operations:
        """Give the routes as they are now."""
        self._front.routes.answers = answers_plainly(self.app)
        return self._front.routes.compiled()


def put_in_front(app: Any) -> Front:
    """Put the plan where the app's router would be, behind its middleware; before the app's first request."""
    framework = framework_of(app)
    own: Front | None = framework.own_front(app)
    if own is not None:
        return own
    router = app.router
    front = Front(framework, router)
    app.router = front
    try:
        app.middleware_stack = app.build_middleware_stack()
    finally:
        app.router = router
    return front


def explain(app: Any) -> tuple[list[Explained], str | None]:
    """Give the app's routes as they compile, and what stands between the server and all of them."""
    return list(Routes(framework_of(app), app.router).explain()), obstacle(app)


def obstacle(app: Any) -> str | None:
    """Say what stands between the server and the app's routes, so that each request has to go through the app."""
    framework = framework_of(app)
    for name in ("__call__", "build_middleware_stack"):
        if getattr(type(app), name) is not getattr(framework.FastAPI, name) or name in vars(app):
            return f"the app has its own {name}()"
    unknown = known_layers(app).unknown
    if unknown is not None:
        return f"the app has middleware ({getattr(unknown, '__name__', unknown)})"
    if app.root_path:
        return "the app has a root_path"
    if not framework.COMPILES_LIMITS and getattr(app, "max_body_size", None) is not None:
        return "the app has a body limit"
    return "telemetry is on" if framework.telemetry_is_on(app) else None


def refuses_plainly(app: Any) -> bool:
    """Say whether a body that is too long gets our own 413."""
    from ..exception_handlers import http_exception_handler  # noqa: PLC0415 - most apps have no bound
    from ..middleware.body_limit import BodyTooLarge  # noqa: PLC0415 - as above

    found = (app.exception_handlers.get(key) for key in (413, *BodyTooLarge.__mro__))
    return next((handler for handler in found if handler is not None), None) is http_exception_handler


def answers_plainly(app: Any) -> bool:
    """Say whether a request without a route gets FastAPI's own 404 and 405, and nobody else wants to see it."""
    framework, router = framework_of(app), app.router
    frontends = getattr(router, "_iter_low_priority_routes", None)
    if frontends is None or any(True for _ in frontends()):
        return False
    default = getattr(router.default, "__func__", None) is framework.routing.APIRouter.not_found
    special = any(isinstance(status, int) and status in (404, 405) for status in app.exception_handlers)
    handler = app.exception_handlers.get(framework.HTTPException)
    return default and not special and handler is framework.http_exception_handler and obstacle(app) is None


def _claim_thread(loop: AbstractEventLoop) -> None:
    """Make a thread one of AnyIO's workers, so that `anyio.from_thread` works in it."""
    if "anyio" not in sys.modules:
        return
    try:
        from anyio._backends._asyncio import AsyncIOBackend as backend  # noqa: N813, PLC0415 - private
        from anyio._core._eventloop import claim_worker_thread as claim  # noqa: PLC0415
        from anyio._core._eventloop import threadlocals as local  # noqa: PLC0415
    except ImportError:
        return
    if not inspect.isfunction(claim):
        return
    with claim(backend, loop):
        token = local.current_token
    # Outlives the claim, whose end is nobody's to time: threads end with the executor.
    local.current_token = token
    local.current_cancel_scope = None
