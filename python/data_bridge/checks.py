"""What is wrong with an app's routes, found without a request: what `data-bridge check` prints."""

from __future__ import annotations

import inspect
import re
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Values of path parameters, those that fewer kinds take first: a path, a text, a float, an int, a UUID, a letter.
_SAMPLES = ("x~/y~", "x~", "7.5", "7", "f47ac10b-58cc-4372-a567-0e02b2c3d479", "x")


class Finding(NamedTuple):
    """Something to mend, and where."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


@dataclass(frozen=True)
class _Entry:
    """A route with what its routers add to it. ``methods`` is None where it answers all of them."""

    route: Any
    prefix: str

    @property
    def kind(self) -> str:
        kinds = {base.__name__ for base in type(getattr(self.route, "original_route", self.route)).__mro__}
        known = {"Mount": "mount", "Host": "host", "APIWebSocketRoute": "websocket", "WebSocketRoute": "websocket"}
        return next((known[name] for name in known if name in kinds), "http")

    @property
    def methods(self) -> frozenset[str] | None:
        found = getattr(self.route, "methods", None)
        return None if found is None else frozenset(found)

    @property
    def path(self) -> str:
        return getattr(self.route, "path", None) or "/"

    @property
    def place(self) -> str:
        return place_of(getattr(self.route, "endpoint", None))

    def __str__(self) -> str:
        names = {"websocket": ["WEBSOCKET"], "mount": ["MOUNT"]}.get(self.kind) or sorted(self.methods or ())
        return f"{' '.join(names)} {self.prefix}{self.path}".strip()


def check(app: Any, prefix: str = "") -> list[Finding]:
    """Give what is to mend in an app of ours or of FastAPI's, and in the apps mounted on it."""
    entries = [_Entry(route, prefix) for route in _contexts(app)]
    findings = [*_unreachable(entries), *_untaken(entries), *_undescribed(app)]
    for entry in entries:
        if entry.kind == "mount" and hasattr(entry.route.app, "routes"):
            findings += check(entry.route.app, prefix + entry.path)
    return findings


def place_of(function: Any) -> str:
    """Give ``file:line`` of a function, class or other callable, from the working directory where it is below it."""
    while hasattr(function, "func"):  # functools.partial
        function = function.func
    function = inspect.unwrap(function) if callable(function) else function
    if function is not None and not (inspect.isroutine(function) or inspect.isclass(function)):
        function = type(function)
    try:
        file, line = Path(inspect.getsourcefile(function) or "?"), inspect.getsourcelines(function)[1]
    except (OSError, TypeError):
        return getattr(function, "__module__", "?")
    here = Path.cwd()
    return f"{file.relative_to(here) if file.is_relative_to(here) else file}:{line}"


def _contexts(app: Any) -> list[Any]:
    """Give the app's routes; those of included routers with their prefix."""
    framework = next((cls.__module__ for cls in type(app).__mro__ if cls.__module__ == "fastapi.applications"), None)
    routing: Any
    if framework is None:
        from data_bridge import routing  # noqa: PLC0415 - `check` has loaded the app by now
    else:
        routing = sys.modules["fastapi.routing"]
    return list(routing.iter_route_contexts(app.routes))


def _unreachable(entries: list[_Entry]) -> Iterator[Finding]:
    """Find routes all of whose requests an earlier one takes."""
    for index, later in enumerate(entries):
        sample = _sample(later)
        if sample is None:
            continue
        left = later.methods
        for earlier in entries[:index]:
            if not _takes(earlier, later, sample):
                continue
            left = frozenset() if earlier.methods is None or left is None else left - earlier.methods
            if not left:
                text = f"{later} is never reached: {earlier} ({earlier.place}) stands before it and takes its requests"
                yield Finding(later.place, text)
                break


def _sample(entry: _Entry) -> str | None:
    """Give a path that stands for all of a route's, or None where its parameters are of kinds that we do not know."""
    convertors = getattr(entry.route, "param_convertors", None)
    if convertors is None or entry.kind in {"host", "mount"}:
        return None
    values = {}
    for name, convertor in convertors.items():
        fitting = [value for value in _SAMPLES if re.fullmatch(convertor.regex, value)]
        if not fitting:
            return None
        values[name] = fitting[0]
    path: str = entry.route.path_format
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", value)
    return path


def _takes(earlier: _Entry, later: _Entry, sample: str) -> bool:
    same_kind = earlier.kind in {later.kind, "mount"}
    pattern = getattr(earlier.route, "path_regex", None)
    if not same_kind or pattern is None or not pattern.match(sample):
        return False
    methods = earlier.methods
    return methods is None or later.methods is None or bool(methods & later.methods)


def _untaken(entries: Iterable[_Entry]) -> Iterator[Finding]:
    """Find path parameters that no function takes: mostly a name spelt differently, which becomes a query parameter."""
    for entry in entries:
        root = getattr(entry.route, "dependant", None)
        if root is None:
            continue
        dependants = list(_flat(root))
        if any(_sees_the_request(dependant) for dependant in dependants):
            continue
        taken = {_alias(field) for dependant in dependants for field in dependant.path_params}
        for name in entry.route.param_convertors:
            if name not in taken and not any(_is_model(f) for d in dependants for f in d.path_params):
                yield Finding(entry.place, f"{entry}: no function takes the path parameter {name!r}")


def _flat(dependant: Any) -> Iterator[Any]:
    yield dependant
    for needed in dependant.dependencies:
        yield from _flat(needed)


def _sees_the_request(dependant: Any) -> bool:
    names = ("request_param_name", "websocket_param_name", "http_connection_param_name")
    return any(getattr(dependant, name, None) for name in names)


def _alias(field: Any) -> str:
    alias: str = field.field_info.alias or field.name
    return alias


def _is_model(field: Any) -> bool:
    return hasattr(field.field_info.annotation, "model_fields")


def _undescribed(app: Any) -> Iterator[Finding]:
    """Find what stands in the way of the app's OpenAPI document: types without a schema, operations of one name."""
    if not hasattr(app, "openapi") or not getattr(app, "openapi_url", None):
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            app.openapi()
        except Exception as error:  # noqa: BLE001 - Pydantic's own, and whatever a custom schema raises
            yield Finding(place_of(type(app).openapi), f"the OpenAPI document cannot be made: {error}")
    for warning in caught:
        if "Duplicate Operation ID" in str(warning.message):
            name, _, file = str(warning.message).partition(" at ")
            yield Finding(file or "?", name)
