"""What a signature says about a parameter beside its type: where it comes from. Written as in FastAPI."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclasses.dataclass(frozen=True, slots=True)
class Depends:
    """The parameter is what ``dependency`` returns, which has parameters of its own; without one, the type is called.

    It is called once for each request, however many parameters want it, unless ``use_cache`` is False.
    """

    dependency: Callable[..., Any] | None = None
    use_cache: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Path:
    """The parameter stands in the path; ``alias`` is its name there."""

    alias: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Query:
    """The parameter stands in the query; ``alias`` is its name there."""

    alias: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Header:
    """The parameter is a header field; ``alias`` is its name, else the parameter's with ``-`` for ``_``."""

    alias: str | None = None


Marker = Depends | Path | Query | Header
