"""Mappings whose keys may have several values: a key gives its last value, ``getlist`` all of them. Knows no HTTP."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from operator import itemgetter
from typing import Any, Generic, TypeVar

_K = TypeVar("_K")
_V = TypeVar("_V", covariant=True)  # noqa: PLC0105 - private, and read-only as Mapping's


class ImmutableMultiDict(Mapping[_K, _V], Generic[_K, _V]):
    """Made of another one, a mapping or pairs, and of keywords."""

    _dict: dict[_K, _V]
    _list: list[tuple[_K, _V]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if len(args) > 1:
            raise AssertionError("Too many arguments.")
        pairs = _pairs(args[0]) if args else []
        pairs.extend(kwargs.items())
        self._set(pairs)

    def _set(self, pairs: list[tuple[Any, Any]]) -> None:
        self._list = pairs
        self._dict = dict(pairs)

    def getlist(self, key: Any) -> list[_V]:
        """Give all values of ``key``, in their order."""
        return [value for name, value in self._list if name == key]

    def multi_items(self) -> list[tuple[_K, _V]]:
        """Give all pairs, in their order."""
        return list(self._list)

    def keys(self) -> KeysView[_K]:
        """Give each key once."""
        return self._dict.keys()

    def values(self) -> ValuesView[_V]:
        """Give the last value of each key."""
        return self._dict.values()

    def items(self) -> ItemsView[_K, _V]:
        """Give each key with its last value."""
        return self._dict.items()

    def __getitem__(self, key: _K) -> _V:
        return self._dict[key]

    def __contains__(self, key: Any) -> bool:
        return key in self._dict

    def __iter__(self) -> Iterator[_K]:
        return iter(self._dict)

    def __len__(self) -> int:
        return len(self._dict)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return False
        return sorted(self._list, key=itemgetter(0)) == sorted(other._list, key=itemgetter(0))

    __hash__ = None  # type: ignore[assignment] # subclasses change, and equality is by the pairs

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._list!r})"


class MultiDict(ImmutableMultiDict[Any, Any]):
    """One that can be changed."""

    def __setitem__(self, key: Any, value: Any) -> None:
        self.setlist(key, [value])

    def __delitem__(self, key: Any) -> None:
        del self._dict[key]
        self._drop({key})

    def _drop(self, keys: Iterable[Any]) -> None:
        self._list = [pair for pair in self._list if pair[0] not in keys]

    def append(self, key: Any, value: Any) -> None:
        """Add a value beside those that ``key`` has."""
        self._list.append((key, value))
        self._dict[key] = value

    def setlist(self, key: Any, values: list[Any]) -> None:
        """Replace all values of ``key``; no values remove it."""
        self.pop(key)
        for value in values:
            self.append(key, value)

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """Give the value of ``key``, which is ``default`` if it had none."""
        if key not in self._dict:
            self.append(key, default)
        return self._dict[key]

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Replace the values of all keys that are given."""
        given = MultiDict(*args, **kwargs)
        self._drop(given._dict)
        self._list.extend(given._list)
        self._dict.update(given._dict)

    def pop(self, key: Any, default: Any = None) -> Any:
        """Remove ``key`` and give its last value."""
        if key not in self._dict:
            return default
        self._drop({key})
        return self._dict.pop(key)

    def popitem(self) -> tuple[Any, Any]:
        """Remove the last key and give it with its last value."""
        key, value = self._dict.popitem()
        self._drop({key})
        return key, value

    def poplist(self, key: Any) -> list[Any]:
        """Remove ``key`` and give all its values."""
        values = self.getlist(key)
        self.pop(key)
        return values

    def clear(self) -> None:
        """Remove everything."""
        self._dict.clear()
        self._list.clear()


class QueryParams(ImmutableMultiDict[str, str]):
    """The pairs of a query, decoded; made of a query as it was received, or of pairs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and isinstance(args[0], (str, bytes)):
            args = (_query_pairs(args[0]), *args[1:])
        super().__init__(*args, **kwargs)

    def _set(self, pairs: list[tuple[Any, Any]]) -> None:
        super()._set([(str(key), str(value)) for key, value in pairs])

    def __str__(self) -> str:
        from urllib.parse import urlencode  # noqa: PLC0415 - an application that asks for no query starts without it

        return urlencode(self._list)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


def _pairs(value: Any) -> list[tuple[Any, Any]]:
    for source in ("multi_items", "items"):
        if hasattr(value, source):
            return list(getattr(value, source)())
    return list(value)


def _query_pairs(query: str | bytes) -> list[tuple[str, str]]:
    from urllib.parse import parse_qsl  # noqa: PLC0415 - an application that asks for no query starts without it

    return parse_qsl(query.decode("latin-1") if isinstance(query, bytes) else query, keep_blank_values=True)
