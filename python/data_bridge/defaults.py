"""A value that may be overruled: what a router or an app gives where a route says nothing. Knows no route."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from enum import Enum

    from pydantic import BaseModel

#: What Pydantic takes for ``include`` and ``exclude``.
IncEx = set[int] | set[str] | dict[int, Any] | dict[str, Any]
UnionType = types.UnionType
DecoratedCallable = TypeVar("DecoratedCallable", bound=Callable[..., Any])
DefaultType = TypeVar("DefaultType")
ModelNameMap = dict["type[BaseModel] | type[Enum]", str]
DependencyCacheKey = tuple[Callable[..., Any] | None, tuple[str, ...], str]


class DefaultPlaceholder:
    """``value``, unless somebody says otherwise. As true as ``value``."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __bool__(self) -> bool:
        return bool(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DefaultPlaceholder) and other.value == self.value

    def __hash__(self) -> int:
        return hash((DefaultPlaceholder, id(self.value)))

    def __repr__(self) -> str:
        return f"Default({self.value!r})"


def Default(value: DefaultType) -> DefaultType:  # noqa: N802 - the name under which it is known
    """Mark ``value`` as one that may be overruled. To a type checker it is the value itself."""
    return DefaultPlaceholder(value)  # type: ignore[return-value]


#: Says that an option was not given, where None is a value.
Unset: Final[Any] = Default(None)

#: Stands for a body that was not read, since no parameter wants it.
UNREAD: Final[Any] = object()


def get_value_or_default(first_item: Any, *extra_items: Any) -> Any:
    """Give the first item that was said by somebody, else the first placeholder."""
    items = (first_item, *extra_items)
    return next((item for item in items if not isinstance(item, DefaultPlaceholder)), first_item)


def value_of(item: Any) -> Any:
    """Give what stands for the item in the end."""
    return item.value if isinstance(item, DefaultPlaceholder) else item
