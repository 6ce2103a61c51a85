"""What a signature says of a parameter that another function makes. Knows no field, and so no Pydantic."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from .dependency_limits import DependencyConcurrency

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True)
class Depends:
    """The parameter is what ``dependency`` gives, which has parameters of its own; without one, the type is called.

    One call serves all that need it in a request, unless ``use_cache`` is False. A generator is finished after the
    response was sent (``scope`` ``"request"``) or before (``"function"``). ``max_concurrency`` bounds how many
    requests are inside it at once, on one loop.
    """

    dependency: Callable[..., Any] | None = None
    use_cache: bool = True
    scope: Literal["function", "request"] | None = None
    max_concurrency: int | None = field(default=None, kw_only=True)
    _concurrency: DependencyConcurrency | None = field(default=None, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        bound = self.max_concurrency
        if bound is None:
            object.__setattr__(self, "_concurrency", None)
        elif type(bound) is not int or bound < 1:
            raise ValueError("max_concurrency must be a positive integer or None")
        elif self._concurrency is None or self._concurrency.max_concurrency != bound:
            object.__setattr__(self, "_concurrency", DependencyConcurrency(bound))


@dataclass(frozen=True)
class Security(Depends):
    """A dependency that asks for OAuth2 ``scopes``, which it and what it needs see as ``SecurityScopes``."""

    scopes: Sequence[str] | None = None
