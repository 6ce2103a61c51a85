"""The plan as data. `_native.Operations` reads it by attribute name into Rust's `api::plan`; a test compares them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from .._native import NativeHandler

#: Types whose plain forms Rust reads itself; values of an ``unknown`` one are all left to the reference path.
Scalar = Literal["str", "int", "float", "bool", "uuid", "unknown"]

#: How a step is run: awaited, in a thread, at once on the loop's thread, or as a generator whose end comes after the
#: response.
StepKind = Literal["task", "thread", "inline", "generator"]

#: What makes a value for user code of the framework's request.
Maker = Callable[[Any], Any]


#: The options of a route that are said to Pydantic's serialiser, by its names (``response_model_include`` is one).
SERIALISING = ("include", "exclude", "by_alias", "exclude_unset", "exclude_defaults", "exclude_none")

#: Where a parameter stands in the request.
Place = Literal["path", "query", "header", "cookie"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """A parameter.

    ``name`` is the endpoint's argument, ``aliases`` are its names in the request, the preferred one first,
    ``path_index`` its number among the pattern's parameters. ``many``: it is a list of all values of its name.
    ``validate`` decides on what Rust leaves undecided, and raises where the reference path has to (None: it always
    has to); it runs no code of the user's.
    """

    name: str
    place: Place
    aliases: tuple[str, ...]
    path_index: int | None = None
    scalar: Scalar = "unknown"
    many: bool = False
    required: bool
    default: Any = None
    #: Makes the default for each request, where one object cannot serve all of them.
    make_default: Callable[[], Any] | None = None
    validate: Callable[[Any], Any] | None = None

    @property
    def alias(self) -> str:
        """The name that errors show."""
        return self.aliases[0]


@dataclasses.dataclass(frozen=True, slots=True)
class Constant:
    """A route that is answered with the same bytes each time, without the interpreter."""

    path: str
    methods: tuple[str, ...]
    status_code: int
    headers: tuple[tuple[bytes, bytes], ...]
    content: bytes


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Native:
    """A route that a handler in Rust answers, without the interpreter.

    ``methods`` is None where it takes all of them, and all that the path's last parameter matches.
    """

    path: str
    methods: tuple[str, ...] | None
    handler: NativeHandler
    timeout: float | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call of an operation: a dependency, or at last the endpoint.

    ``inputs`` are the arguments' names and the slots of their values; the result is the slot after all others.
    ``dependant`` is the framework's own description, for what it carries out itself, ``key`` its name for the result,
    ``limit`` gives a context manager that bounds how many calls run at once.
    """

    call: Callable[..., Any]
    mode: StepKind
    inputs: tuple[tuple[str, int], ...]
    of_function: bool = False
    dependant: Any = None
    key: Any = None
    limit: Callable[[], AbstractAsyncContextManager[Any]] | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How a result becomes JSON: by its type (with ``options``), or as it is where there is no ``validate``.

    ``text_type``: it is text that is sent as it stands, with this media type. ``schema`` is the core schema that
    ``to_json`` follows; what it leaves no doubt about, Rust writes itself.
    """

    text_type: str | None = None
    validate: Callable[[Any], Any] | None = None
    schema: Any = None
    to_json: Callable[..., bytes] | None = None
    options: tuple[tuple[str, Any], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A route that Python answers.

    Its values live in numbered slots: those of ``params``, those of the body (``bodies`` of them), those that
    ``makers`` make, then the steps' results. ``accept`` makes the body's values of bytes (of b"" where there are none),
    and raises where the reference has to decide.
    ``direct`` is the one step that there is, where Rust can do it all; ``is_native`` says that it does, or that it runs
    the steps. ``result`` is None where Python makes the response. ``route`` is what the face keeps for its own part.
    """

    path: str
    methods: tuple[str, ...]
    params: tuple[Param, ...]
    accept: Callable[[bytes], Any] | None
    #: The body is a form, not JSON.
    takes_form: bool = False
    bodies: int
    makers: tuple[Maker, ...]
    steps: tuple[Step, ...]
    slots: int
    direct: Step | None
    is_native: bool
    result: Encoding | None
    status: int
    #: A `Carrier`.
    route: Any
    timeout: float | None = None
    on_disconnect: str | None = None


class Carrier(Protocol):
    """A face's part in an operation's steps."""

    #: Has ``dependency_overrides``, which are replaced dependencies where there are any at the moment.
    provider: Any

    async def solve_anew(self, operation: Operation, slots: list[Any], request: Any) -> Any:
        """Go on after the steps that are done, now that dependencies are replaced."""

    async def carry_out(self, step: Step, arguments: dict[str, Any], request: Any) -> Any:
        """Run a step that is more than a coroutine."""


Route = Operation | Constant | Native
