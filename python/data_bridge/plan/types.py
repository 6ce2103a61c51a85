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


@dataclasses.dataclass(frozen=True, slots=True)
class Param:
    """A scalar parameter.

    ``alias`` is its name in the request, ``name`` the endpoint's argument, ``path_index`` its number among the
    pattern's parameters (None for a query parameter). ``adapter`` is the reference that decides what Rust does not.
    """

    name: str
    alias: str
    path_index: int | None
    scalar: Scalar
    required: bool
    default: Any
    adapter: Adapter

    @property
    def place(self) -> Literal["path", "query"]:
        """Where it stands in the request."""
        return "query" if self.path_index is None else "path"


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


@dataclasses.dataclass(frozen=True, slots=True)
class Constant:
    """A route that is answered with the same bytes each time, without the interpreter."""

    path: str
    methods: tuple[str, ...]
    status_code: int
    headers: tuple[tuple[bytes, bytes], ...]
    content: bytes


Route = Call | Constant

#: Arguments by name, ready for the endpoint.
Arguments = Mapping[str, Any]
