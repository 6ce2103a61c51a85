"""Which of the media types that an endpoint offers a client takes best (RFC 9110, 12.5.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .exceptions import HTTPException
from .requests import Request  # noqa: TC001 - the dependency's signature is read at run time
from .responses import Response  # noqa: TC001 - likewise

if TYPE_CHECKING:
    from collections.abc import Sequence

_ANYTHING = "*"


class Accepts:
    """A dependency that gives the media type to answer with, one of ``media_types``.

    The response says that it varies by ``Accept``. A client that takes none of them gets 406::

        media_type: Annotated[str, Depends(Accepts("application/json", "text/csv"))]
    """

    def __init__(self, *media_types: str) -> None:
        if not media_types or any(_ANYTHING in media_type for media_type in media_types):
            raise ValueError(f"Accepts{media_types!r} has to name the media types that the endpoint can make")
        self.media_types = media_types

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Accepts) and other.media_types == self.media_types

    def __hash__(self) -> int:
        return hash((Accepts, self.media_types))

    async def __call__(self, request: Request, response: Response) -> str:
        """Choose for this request."""
        chosen = request.accepts(*self.media_types)
        if chosen is None:
            offered = ", ".join(self.media_types)
            raise HTTPException(406, f"Not acceptable: this resource is {offered}", headers={"Vary": "Accept"})
        response.headers.add_vary_header("Accept")
        return chosen


class _Range(NamedTuple):
    """An element of ``Accept``: ``text/*;q=0.5``. The more specific one decides, whatever the others weigh."""

    main: str
    sub: str
    parameters: frozenset[str]
    weight: float

    @property
    def specificity(self) -> tuple[bool, bool, int]:
        return self.main != _ANYTHING, self.sub != _ANYTHING, len(self.parameters)

    def covers(self, other: _Range) -> bool:
        return (
            self.main in (_ANYTHING, other.main)
            and self.sub in (_ANYTHING, other.sub)
            and self.parameters <= other.parameters
        )


def choose(accepted: str, offered: Sequence[str]) -> str | None:
    """Give the media type that the client likes best; None if it takes none of them.

    Of equal weights the one wins that the client names more precisely, then the one that is offered first. An empty
    ``accepted`` takes anything; what is no media range in it is passed over.
    """
    ranges = [_range(text) for text in accepted.split(",") if "/" in text] if accepted.strip() else [_range("*/*")]
    taken = []
    for media_type in offered:
        offer = _range(media_type)
        covering = [accepts for accepts in ranges if accepts.covers(offer)]
        nearest = max(covering, key=lambda accepts: accepts.specificity, default=None)
        if nearest is not None and nearest.weight > 0:
            taken.append((nearest.weight, nearest.specificity, media_type))
    return max(taken, key=lambda one: one[:2])[2] if taken else None


def weight_of(parameters: str) -> float:
    """Give the ``q`` among the parameters of a field's element: 1 where there is none, 0 where it is no number."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _range(text: str) -> _Range:
    media_type, _, parameters = text.lower().partition(";")
    main, _, sub = media_type.strip().partition("/")
    others = (parameter.replace(" ", "").replace('"', "") for parameter in parameters.split(";"))
    named = frozenset(parameter for parameter in others if parameter and not parameter.startswith("q="))
    return _Range(main, sub, named, weight_of(parameters))
