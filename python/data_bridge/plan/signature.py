"""What a function of an App's user wants of a request, and what its dependencies want. All reflection happens here."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
import uuid
from typing import TYPE_CHECKING, Any

from ..background import BackgroundTasks
from ..exceptions import RouteError
from ..params import Depends, Header, Marker, Path, Query
from ..requests import Request
from .callables import kind_of, unwrap
from .schema import adapt, is_scalar, without_none
from .types import Body, Dependant, Param, Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from .types import StepKind

#: The types that a parameter of the request's line or fields may have.
_SCALARS = (str, int, float, bool, uuid.UUID)

#: What an unannotated parameter becomes when its place in the path names a converter.
_CONVERTED = {"str": str, "path": str, "int": int, "float": float, "uuid": uuid.UUID}

#: Types that FastAPI reads from the body when no marker says otherwise.
_DOCUMENTS = (dict, list, set, frozenset, tuple)

_PLACES: dict[type, Place] = {Path: "path", Query: "query", Header: "header"}

#: FastAPI reports what is wrong with the path before what is wrong with the query.
_ORDER: tuple[Place, ...] = ("path", "query", "header", "cookie")


class Unfit(Exception):
    """Something is wrong with a signature; the text says what."""


def read(call: Callable[..., Any], in_path: dict[str, str]) -> Dependant:
    """Describe an endpoint. Raises :class:`Unfit` for what cannot be."""
    dependant = _Reader(call, in_path, ()).read()
    bodies = list(dict.fromkeys(_bodies(dependant)))
    if len(bodies) > 1:
        raise Unfit(f"both {bodies[0]!r} and {bodies[1]!r} are the body (A7)")
    return dependant


def _bodies(dependant: Dependant) -> list[str]:
    found = [name for sub in dependant.dependencies for name in _bodies(sub)]
    return [*found, dependant.body.name] if dependant.body else found


class _Reader:
    """One function on its way; ``above`` are those that depend on it."""

    def __init__(
        self, call: Callable[..., Any], in_path: dict[str, str], above: tuple[Callable[..., Any], ...]
    ) -> None:
        self.call = call
        self.in_path = in_path
        self.above = (*above, call)
        self.params: list[Param] = []
        self.dependencies: list[Dependant] = []
        self.body: Body | None = None
        self.request_name: str | None = None
        self.background_name: str | None = None

    def read(self) -> Dependant:
        hints = typing.get_type_hints(function_of(self.call), include_extras=True)
        for parameter in inspect.signature(self.call).parameters.values():
            self.take(parameter, hints.get(parameter.name, inspect.Parameter.empty))
        return Dependant(
            call=self.call,
            mode=_mode(self.call),
            dependencies=tuple(self.dependencies),
            params=tuple(sorted(self.params, key=lambda param: _ORDER.index(param.place))),
            body=self.body,
            request_name=self.request_name,
            background_name=self.background_name,
        )

    def take(self, parameter: inspect.Parameter, hint: Any) -> None:
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise Unfit(f"parameter {parameter} cannot be passed by name")
        annotation, marker = _split(parameter, hint)
        if isinstance(parameter.default, Marker):
            parameter = parameter.replace(default=parameter.empty)
        if isinstance(marker, Depends):
            self.dependencies.append(self.dependency(parameter, annotation, marker))
        elif inspect.isclass(annotation) and issubclass(annotation, Request):
            self.request_name = _only(self.request_name, parameter.name, "request")
        elif annotation is BackgroundTasks:
            self.background_name = _only(self.background_name, parameter.name, "list of background tasks")
        elif isinstance(marker, Path) or (marker is None and parameter.name in self.in_path):
            self.params.append(self.path_param(parameter, annotation, marker))
        elif marker is not None or is_plain(annotation):
            self.params.append(_param(parameter, annotation, marker or Query()))
        else:
            self.take_body(parameter, annotation)

    def dependency(self, parameter: inspect.Parameter, annotation: Any, marker: Depends) -> Dependant:
        call = marker.dependency
        if call is None:
            call = _bare(annotation)
            if not inspect.isclass(call):
                raise Unfit(f"parameter {parameter.name!r} depends on nothing, and its type is no class")
        if not callable(call):
            raise Unfit(f"parameter {parameter.name!r} depends on {call!r}, which is not callable")
        if call in self.above:
            raise Unfit(f"parameter {parameter.name!r} depends on itself")
        if "generator" in kind_of(call):
            raise Unfit(f"parameter {parameter.name!r} depends on a generator, which App does not run yet (A9)")
        read = _Reader(call, self.in_path, self.above).read()
        return dataclasses.replace(read, name=parameter.name, use_cache=marker.use_cache)

    def path_param(self, parameter: inspect.Parameter, annotation: Any, marker: Any) -> Param:
        name = (marker and marker.alias) or parameter.name
        if parameter.default is not parameter.empty:
            raise Unfit(f"path parameter {parameter.name!r} cannot have a default")
        if name not in self.in_path:
            raise Unfit(f"path parameter {name!r} is not in the path")
        converter = self.in_path[name]
        if annotation is inspect.Parameter.empty:
            annotation = _CONVERTED[converter]
        if not is_plain(annotation):
            raise Unfit(f"path parameter {name!r} is {spell(annotation)}, which App does not read yet (A7)")
        adapter = adapt(annotation)
        scalar = is_scalar(adapter.schema)
        # The reference sees converted values: an `int` that is annotated `str` is refused by it.
        agrees = converter in ("str", "path") or scalar == converter
        return Param(
            name=parameter.name,
            place="path",
            aliases=(name,),
            path_index=list(self.in_path).index(name),
            scalar=scalar if agrees and scalar else "unknown",
            required=True,
            validate=adapter.validator.validate_python if agrees else None,
            adapter=adapter,
        )

    def take_body(self, parameter: inspect.Parameter, annotation: Any) -> None:
        _check_default(parameter)
        if not _is_document(without_none(_bare(annotation))):
            raise Unfit(f"parameter {parameter.name!r} is {spell(annotation)}, which App does not read yet (A7)")
        _only(self.body.name if self.body else None, parameter.name, "body (A7)")
        required = parameter.default is parameter.empty
        self.body = Body(parameter.name, required, None if required else parameter.default, adapt(annotation))


def _param(parameter: inspect.Parameter, annotation: Any, marker: Query | Header) -> Param:
    """Describe a parameter of the query or the fields."""
    _check_default(parameter)
    if not is_plain(annotation):
        raise Unfit(f"parameter {parameter.name!r} is {spell(annotation)}, which App does not read yet (A7)")
    name = marker.alias or parameter.name
    if isinstance(marker, Header):
        name = (marker.alias or parameter.name.replace("_", "-")).lower()
    required = parameter.default is parameter.empty
    adapter = adapt(str if annotation is inspect.Parameter.empty else annotation)
    return Param(
        name=parameter.name,
        place=_PLACES[type(marker)],
        aliases=(name,),
        scalar=is_scalar(adapter.schema) or "unknown",
        required=required,
        default=None if required else parameter.default,
        validate=adapter.validator.validate_python,
        adapter=adapter,
    )


def _split(parameter: inspect.Parameter, hint: Any) -> tuple[Any, Marker | None]:
    """Give a parameter's type, with the constraints that Pydantic reads, and its marker."""
    markers = [parameter.default] if isinstance(parameter.default, Marker) else []
    if typing.get_origin(hint) is typing.Annotated:
        inner, *notes = typing.get_args(hint)
        markers += [note for note in notes if isinstance(note, Marker)]
        left = [note for note in notes if not isinstance(note, Marker)]
        if any(_renames(note) for note in left):
            raise Unfit(
                f"parameter {parameter.name!r} has a Field with an alias or a default, which App does not read (A7)"
            )
        hint = typing.Annotated[inner, *left] if left else inner
    if len(markers) > 1:
        raise Unfit(f"parameter {parameter.name!r} has more than one marker")
    return hint, markers[0] if markers else None


def _renames(note: Any) -> bool:
    """Say whether a note is a `Field` that says more than constraints."""
    said: dict[str, Any] = getattr(note, "_attributes_set", {})
    return bool(said.keys() & {"alias", "validation_alias", "default", "default_factory"})


def _bare(annotation: Any) -> Any:
    """Give an annotation's type without its constraints."""
    return typing.get_args(annotation)[0] if typing.get_origin(annotation) is typing.Annotated else annotation


def _mode(call: Callable[..., Any]) -> StepKind:
    return "task" if kind_of(call) == "coroutine" else "thread"


def _only(former: str | None, name: str, what: str) -> str:
    """Give ``name``; refuse it where there is a ``former`` one of its kind."""
    if former is not None:
        raise Unfit(f"both {former!r} and {name!r} are the {what}")
    return name


def _check_default(parameter: inspect.Parameter) -> None:
    default = parameter.default
    plain = isinstance(default, (str, int, float, uuid.UUID, *_DOCUMENTS)) or _is_model(type(default))
    if default is not parameter.empty and default is not None and not plain:
        raise Unfit(f"the default of {parameter.name!r} is {default!r}, which App does not read yet (A7, A9)")


def function_of(call: Callable[..., Any]) -> Callable[..., Any]:
    """Find what carries the annotations."""
    while isinstance(call, functools.partial):
        call = call.func
    if not callable(call):
        raise RouteError(f"{call!r} is not callable")
    if inspect.isclass(call):
        return call.__init__
    if inspect.isroutine(call):
        return call
    return type(call).__call__.__get__(call)  # type: ignore[no-any-return]


def where(call: Callable[..., Any]) -> str:
    """Say in which file and line a callable stands."""
    code = getattr(unwrap(function_of(call)), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(call)


def spell(annotation: Any) -> str:
    """Write a type as users do."""
    return annotation.__name__ if inspect.isclass(annotation) else str(annotation)


def is_plain(annotation: Any) -> bool:
    """Say whether text can be of this type."""
    inner = without_none(_bare(annotation))
    return any(inner is kind for kind in (*_SCALARS, Any, inspect.Parameter.empty))


def _is_document(annotation: Any) -> bool:
    origin = typing.get_origin(annotation) or annotation
    if not inspect.isclass(origin):
        return False
    return (
        issubclass(origin, _DOCUMENTS)
        or _is_model(origin)
        or dataclasses.is_dataclass(origin)
        or typing.is_typeddict(origin)
        or origin.__module__ == "collections.abc"
    )


def _is_model(annotation: type) -> bool:
    return hasattr(annotation, "__pydantic_validator__")
