"""A request's arguments by Pydantic alone, as FastAPI finds them. Writes the errors of every 422."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from pydantic_core import ValidationError

from ..background import BackgroundTasks
from ..exceptions import HTTPException, RequestValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..plan.handler import Handler
    from ..plan.types import Body, Dependant, Param
    from ..requests import Request

_MISSING = object()

Errors = list[dict[str, Any]]


class Solver:
    """Finds the arguments of one request."""

    def __init__(self, handler: Handler, request: Request) -> None:
        self.handler = handler
        self.request = request
        #: What user code left for afterwards.
        self.background: BackgroundTasks | None = None
        self._document: Any = _MISSING
        self._results: dict[Any, Any] = {}

    async def solve(self) -> Mapping[str, Any]:
        """Find the endpoint's arguments; dependencies are called for that.

        Raises :class:`RequestValidationError` with all that is wrong, :class:`HTTPException` for an unreadable body,
        and whatever a dependency raises.
        """
        if self.handler.body:
            self._document = await _document(self.request)
        arguments, errors = await self._arguments(self.handler.dependant)
        if errors:
            raise RequestValidationError(errors, body=None if self._document is _MISSING else self._document)
        return arguments

    async def _arguments(self, dependant: Dependant) -> tuple[dict[str, Any], Errors]:
        """Give a function's arguments and what is wrong with them; calls the dependencies whose own are right."""
        arguments: dict[str, Any] = {}
        errors: Errors = []
        for sub in dependant.dependencies:
            inner, wrong = await self._arguments(sub)
            if wrong:
                errors += wrong
                continue
            if not (sub.use_cache and sub.call in self._results):
                result = await self.handler.call(sub.mode, sub.call, inner)
                if sub.use_cache:
                    self._results[sub.call] = result
                else:
                    arguments[str(sub.name)] = result
                    continue
            arguments[str(sub.name)] = self._results[sub.call]
        for param in dependant.params:
            loc = (param.place, param.alias)
            arguments[param.name] = _value(param, _sent(param, self.request), loc, errors)
        if dependant.body:
            arguments[dependant.body.name] = _value(dependant.body, self._document, ("body",), errors)
        return {**arguments, **self._specials(dependant)}, errors

    def _specials(self, dependant: Dependant) -> dict[str, Any]:
        specials: dict[str, Any] = {}
        if dependant.request_name:
            specials[dependant.request_name] = self.request
        if dependant.background_name:
            self.background = self.background or BackgroundTasks()
            specials[dependant.background_name] = self.background
        return specials


def _sent(param: Param, request: Request) -> Any:
    source: Mapping[str, Any] = {
        "path": request.path_params,
        "query": request.query_params,
        "header": request.headers,
    }[param.place]
    return source.get(param.alias, _MISSING)


def _value(plan: Param | Body, sent: Any, loc: tuple[str, ...], errors: Errors) -> Any:
    """Validate a value; what is wrong with it is added to ``errors``."""
    if sent is _MISSING:
        if plan.required:
            errors.append({"type": "missing", "loc": loc, "msg": "Field required", "input": None})
        return copy.deepcopy(plan.default)
    try:
        return plan.adapter.validate(sent) if plan.adapter else sent
    except ValidationError as error:
        errors.extend({**item, "loc": (*loc, *item["loc"])} for item in error.errors(include_url=False))
        return None


async def _document(request: Request) -> Any:
    """Read the body: parsed if it says that it is JSON, else its bytes."""
    content = await request.body()
    if not content:
        return _MISSING
    if not _is_json(request.headers.get("content-type", "")):
        return content
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        item = {
            "type": "json_invalid",
            "loc": ("body", error.pos),
            "msg": "JSON decode error",
            "input": {},
            "ctx": {"error": error.msg},
        }
        raise RequestValidationError([item], body=error.doc) from error
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "There was an error parsing the body") from error


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    main, _, sub = media_type.partition("/")
    return main == "application" and (sub == "json" or sub.endswith("+json"))
