"""What is wrong with an app's routes, found without a request: what `data-bridge check` prints."""

from __future__ import annotations

import inspect
import re
import warnings
from dataclasses import dataclass
from importlib import import_module
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
    findings = [*_malformed(entries), *_unresolved(entries), *_unreachable(entries), *_parameters(entries)]
    findings += [] if findings else _undescribed(app, entries)  # which may fail of the same causes
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
    return f"{_from_here(file)}:{line}"


def _from_here(file: Path) -> str:
    here = Path.cwd()
    return str(file.relative_to(here) if file.is_relative_to(here) else file)


def _framework(app: Any) -> str:
    """Give the package whose application it is: FastAPI's, or ours."""
    theirs = any(cls.__module__ == "fastapi.applications" for cls in type(app).__mro__)
    return "fastapi" if theirs else "data_bridge"


def _contexts(app: Any) -> list[Any]:
    """Give the app's routes; those of included routers with their prefix."""
    routing: Any = import_module(f"{_framework(app)}.routing")
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


def _malformed(entries: Iterable[_Entry]) -> Iterator[Finding]:
    """Find paths that no request can have."""
    for entry in entries:
        if entry.kind != "host" and not (entry.prefix + entry.path).startswith("/"):
            yield Finding(entry.place, f"{entry}: the path does not begin with a slash, so no request has it")
        if set(re.sub(r"\{\w+(:\w+)?\}", "", entry.path)) & {"{", "}"}:
            yield Finding(entry.place, f"{entry}: a brace without its counterpart, or a parameter that is no name")


def _unresolved(entries: Iterable[_Entry]) -> Iterator[Finding]:
    """Find parameters whose types are named, but not to be found."""
    for entry in entries:
        for dependant in _flat(getattr(entry.route, "dependant", None)):
            for field in _fields(dependant):
                name = getattr(field.field_info.annotation, "__forward_arg__", None)
                if name is not None:
                    text = f"the type {name!r} of the parameter {field.name!r} is not to be found"
                    yield Finding(place_of(dependant.call), f"{entry}: {text}")


def _parameters(entries: Iterable[_Entry]) -> Iterator[Finding]:
    """Find path parameters that no function takes, mostly because of its spelling, and those that no path has."""
    for entry in entries:
        dependants = list(_flat(getattr(entry.route, "dependant", None)))
        fields = [field for dependant in dependants for field in dependant.path_params]
        if not dependants or any(hasattr(field.field_info.annotation, "model_fields") for field in fields):
            continue
        there = set(entry.route.param_convertors)
        taken = {field.field_info.alias or field.name for field in fields}
        for name in sorted(taken - there):
            yield Finding(entry.place, f"{entry}: {name!r} is declared as a path parameter, but the path has none")
        if not any(_sees_the_request(dependant) for dependant in dependants):
            for name in sorted(there - taken):
                yield Finding(entry.place, f"{entry}: no function takes the path parameter {name!r}")


def _fields(dependant: Any) -> Iterator[Any]:
    for place in ("path", "query", "header", "cookie", "body"):
        yield from getattr(dependant, f"{place}_params")


def _flat(dependant: Any) -> Iterator[Any]:
    if dependant is not None:
        yield dependant
        for needed in dependant.dependencies:
            yield from _flat(needed)


def _sees_the_request(dependant: Any) -> bool:
    names = ("request_param_name", "websocket_param_name", "http_connection_param_name")
    return any(getattr(dependant, name, None) for name in names)


def _undescribed(app: Any, entries: Iterable[_Entry]) -> Iterator[Finding]:
    """Find what stands in the way of the app's OpenAPI document: types without a schema, operations of one name."""
    if not getattr(app, "openapi_url", None):
        return
    describe = import_module(f"{_framework(app)}.openapi.utils").get_openapi
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for entry in entries:
            try:
                describe(title="", version="", routes=[entry.route])
            except Exception as error:  # noqa: BLE001 - Pydantic's own, and whatever a custom schema raises
                yield Finding(entry.place, f"{entry}: it cannot be described in OpenAPI: {error}")
                return
        app.openapi()
    for warning in caught:
        if "Duplicate Operation ID" in str(warning.message):
            name, _, file = str(warning.message).partition(" at ")
            yield Finding(_from_here(Path(file or "?")), name)
