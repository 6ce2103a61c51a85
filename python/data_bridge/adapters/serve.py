"""A FastAPI app as our server serves it: by its compiled routes, and by the app itself for all else."""

from __future__ import annotations

import functools
import inspect
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from . import upstream
from .front import MAX_BODY, Front
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

    response_class = upstream.Response
    response_call = staticmethod(upstream.Response.__call__)
    of_result = staticmethod(of_result)
    of_error = staticmethod(of_error)
    work_key = WORK
    max_body_size = MAX_BODY

    def __init__(self, app: Any, loop: AbstractEventLoop) -> None:
        self.app = app
        self._front = put_in_front(app)
        self._pool = ThreadPoolExecutor(
            THREADS, thread_name_prefix="data_bridge", initializer=functools.partial(_claim_thread, loop)
        )
        self.submit = self._pool.submit

    def obstacle(self, root_path: str = "") -> str | None:
        """Say why each request has to go through the app itself, if it has to."""
        return obstacle(self.app) or ("the server has a root_path" if root_path else None)

    def compiled(self) -> Operations:
        """Give the routes as they are now."""
        self._front.routes.answers = answers_plainly(self.app)
        return self._front.routes.compiled()


def put_in_front(app: Any) -> Front:
    """Put the plan where the app's router would be, behind its middleware; before the app's first request."""
    router = app.router
    front = Front(router)
    app.router = front
    try:
        app.middleware_stack = app.build_middleware_stack()
    finally:
        app.router = router
    return front


def explain(app: Any) -> tuple[list[Explained], str | None]:
    """Give the app's routes as they compile, and what stands between the server and all of them."""
    return list(Routes(app.router).explain()), obstacle(app)


def is_adaptable(app: Any) -> bool:
    """Say whether the plan can stand behind the middleware of ``app``: a FastAPI app that was not called yet."""
    return isinstance(app, upstream.FastAPI) and app.middleware_stack is None


def obstacle(app: Any) -> str | None:
    """Say what stands between the server and the app's routes, so that each request has to go through the app."""
    for name in ("__call__", "build_middleware_stack"):
        if getattr(type(app), name) is not getattr(upstream.FastAPI, name) or name in vars(app):
            return f"the app has its own {name}()"
    if app.user_middleware:
        return f"the app has middleware ({app.user_middleware[0].cls.__name__})"
    if app.root_path:
        return "the app has a root_path"
    if getattr(app, "max_body_size", None) is not None:
        return "the app has a body limit"
    telemetry = getattr(app, "_native_telemetry", None)
    if telemetry is not None and telemetry.enabled():
        return "telemetry is on"
    return None


def answers_plainly(app: Any) -> bool:
    """Say whether a request without a route gets FastAPI's own 404 and 405, and nobody else wants to see it."""
    router = app.router
    frontends = getattr(router, "_iter_low_priority_routes", None)
    if frontends is None or any(True for _ in frontends()):
        return False
    default = getattr(router.default, "__func__", None) is upstream.routing.APIRouter.not_found
    special = any(isinstance(status, int) and status in (404, 405) for status in app.exception_handlers)
    handler = app.exception_handlers.get(upstream.HTTPException)
    return default and not special and handler is upstream.http_exception_handler and obstacle(app) is None


def _claim_thread(loop: AbstractEventLoop) -> None:
    """Make a thread one of AnyIO's workers, so that `anyio.from_thread` works in it."""
    claim = upstream.private("anyio._core._eventloop", "claim_worker_thread")
    backend = upstream.private("anyio._backends._asyncio", "AsyncIOBackend")
    local = upstream.private("anyio._core._eventloop", "threadlocals")
    if claim is None or backend is None or local is None or not inspect.isfunction(claim):
        return
    with claim(backend, loop):
        token = local.current_token
    # Outlives the claim, whose end is nobody's to time: threads end with the executor.
    local.current_token = token
    local.current_cancel_scope = None
