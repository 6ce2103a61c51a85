"""A FastAPI app whose routes are replaced, while it runs, by a table that a request brings."""

from __future__ import annotations

import inspect
import re
import sys
import uuid
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route, WebSocketRoute

app = FastAPI(openapi_url=None)
KINDS = {"str": str, "path": str, "int": int, "float": float, "uuid": uuid.UUID}
PARAMETER = re.compile(r"{(\w+)(?::(\w+))?}")
direct = 0


@app.post("/-/table")
async def replace(request: Request) -> Any:
    del app.router.routes[OWN:]
    app.router.redirect_slashes = True
    for number, entry in enumerate(await request.json()):
        add(app.router, str(number), **entry)
    return None


@app.get("/-/direct")
async def count() -> int:
    """How many calls of endpoints came without a framework's frame in between."""
    return direct


OWN = len(app.router.routes)


def add(router: Any, name: str, kind: str, path: str, methods: list[str], inner: list[Any]) -> None:
    """Add one entry of a table; ``name`` is what its endpoint answers with."""
    if kind == "api":
        router.add_api_route(path, endpoint(name, path), methods=methods)
    elif kind == "route":
        router.routes.append(Route(path, plain(name), methods=methods))
    elif kind == "websocket":
        router.routes.append(WebSocketRoute(path, plain(name)))
    elif kind == "included":
        included = APIRouter()
        for number, entry in enumerate(inner):
            add(included, f"{name}.{number}", **entry)
        router.include_router(included, prefix=path.rstrip("/"))
    else:
        mounted = FastAPI(openapi_url=None)
        for number, entry in enumerate(inner):
            add(mounted.router, f"{name}.{number}", **entry)
        router.routes.append(Mount(path, mounted))


def endpoint(name: str, path: str) -> Any:
    """Make an endpoint that takes the path's parameters, each as what its converter makes of it."""

    async def given(**values: Any) -> Any:
        global direct  # noqa: PLW0603 - a counter
        frame = sys._getframe(1)
        direct += "fastapi" not in frame.f_code.co_filename
        return [name, {key: repr(value) for key, value in values.items()}]

    kinds = {key: KINDS[kind or "str"] for key, kind in PARAMETER.findall(path)}
    parameters = [inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, annotation=kinds[key]) for key in kinds]
    given.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return given


def plain(name: str) -> Any:
    """Make an endpoint of Starlette's."""

    async def given(request: Request) -> Any:
        return JSONResponse([name, {key: repr(value) for key, value in request.path_params.items()}])

    return given
