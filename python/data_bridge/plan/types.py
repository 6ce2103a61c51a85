"""The plan as data. `_native.Table` reads these by attribute name into Rust's `api::plan`; a test compares the two."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict

if TYPE_CHECKING:
    from ..responses import Response
    from .schema import Adapter

#: Types whose plain forms Rust reads itself; values of an ``unknown`` one are all left to the reference path.
Scalar = Literal["str", "int", "float", "bool", "uuid", "unknown"]

#: How an endpoint is run: as a task, in the loop's thread pool, or at once on the loop's thread.
Mode = Literal["task", "thread", "inline"]


class RouteOptions(TypedDict):
    """What may be said about a route beside its path."""

    status_code: NotRequired[int]
    """The status of a result that is no response (default 200)."""
    response_class: NotRequired[type[Response]]
    """What a result that is no response becomes (default: JSON)."""
    inline: NotRequired[bool]
    """Run a ``def`` handler on the loop's thread: for handlers that never block (default: in a thread)."""
    name: NotRequired[str]
    """The route's name (default: the handler's)."""
    timeout: NotRequired[float]
    """Seconds until the response has to begin, else 504 and the handler is cancelled (default: the server's)."""
    on_disconnect: NotRequired[Literal["cancel", "ignore"]]
    """What becomes of the handler when the client leaves (default: GET, HEAD and streams are cancelled)."""


#: Where a parameter stands in the request.
Place = Literal["path", "query", "header", "cookie"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """A parameter.

    ``name`` is the endpoint's argument, ``aliases`` are its names in the request, the preferred one first,
    ``path_index`` its number among the pattern's parameters. ``many``: it is a list of all values of its name.
    ``validate`` decides on what Rust leaves undecided, and raises where the reference path has to (None: it always
    has to); it runs no code of the user's. ``adapter`` is what the reference path of an App validates with.
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
    adapter: Adapter | None = None

    @property
    def alias(self) -> str:
        """The name that errors show."""
        return self.aliases[0]


@dataclasses.dataclass(frozen=True, slots=True)
class Body:
    """A body that is one JSON document.

    ``accept`` turns received bytes into the value if it is sure that the reference would give the same, and raises
    otherwise (the reference then decides); None where the type leaves no room for that.
    """

    name: str
    required: bool
    default: Any
    adapter: Adapter
    accept: Callable[[bytes], Any] | None


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """What becomes of a result that is no response.

    ``text_type`` is the media type of text that is sent as it stands, where ``response_class`` says so. ``adapter`` is
    that of the return annotation (None: anything that JSON can carry); it filters, as FastAPI does.
    """

    status_code: int
    response_class: type[Response] | None
    text_type: str | None
    adapter: Adapter | None


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """A route that Python answers.

    The endpoint's arguments are those of ``params``, then body, request and background tasks where it has such.
    """

    path: str
    methods: tuple[str, ...]
    name: str
    where: str
    endpoint: Callable[..., Any]
    mode: Mode
    params: tuple[Param, ...]
    body: Body | None
    request_name: str | None
    background_name: str | None
    result: Result
    timeout: float | None = None
    on_disconnect: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Constant:
    """A route that is answered with the same bytes each time, without the interpreter."""

    path: str
    methods: tuple[str, ...]
    status_code: int
    headers: tuple[tuple[bytes, bytes], ...]
    content: bytes


Route = Call | Constant

#: How a step of an operation is run: awaited, in a thread, or as a generator whose end comes after the response.
StepKind = Literal["task", "thread", "generator"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call of an operation: a dependency, or at last the endpoint.

    ``inputs`` are the arguments' names and the slots of their values, ``output`` is the slot of the result.
    ``dependant`` is the framework's own description, for what it carries out itself, ``key`` its name for the result.
    """

    call: Callable[..., Any]
    mode: StepKind
    inputs: tuple[tuple[str, int], ...]
    output: int
    of_function: bool = False
    dependant: Any = None
    key: Any = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How a result becomes JSON: by its type (with ``options``), or as it is where there is no ``validate``.

    ``schema`` is the core schema that ``to_json`` follows; what it leaves no doubt about, Rust writes itself.
    """

    validate: Callable[[Any], Any] | None = None
    schema: Any = None
    to_json: Callable[..., bytes] | None = None
    options: tuple[tuple[str, Any], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A route of a foreign framework's app.

    Its values live in numbered slots: those of ``params``, those of the body (``bodies`` of them), those that
    ``makers`` make, then the steps' results. ``accept`` makes the body's values of bytes (of b"" where there are none),
    and raises where the app itself has to decide.
    ``direct`` is the one step that there is, where Rust can do it all; ``is_native`` says that it does, or that it runs
    the steps without a request at hand. ``result`` is None where Python makes the
    response, by ``route``, which is what the adapter keeps for that.
    """

    path: str
    methods: tuple[str, ...]
    params: tuple[Param, ...]
    accept: Callable[[bytes], Any] | None
    bodies: int
    makers: tuple[Callable[[Any], Any], ...]
    steps: tuple[Step, ...]
    slots: int
    direct: Step | None
    is_native: bool
    result: Encoding | None
    status: int
    route: Any


#: Arguments by name, ready for the endpoint.
Arguments = Mapping[str, Any]
