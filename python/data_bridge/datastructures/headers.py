"""Header fields: names in any case, values in Latin-1, over a list of pairs of bytes. Knows no field but Vary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

_Raw = list[tuple[bytes, bytes]]


class Headers(Mapping[str, str]):
    """Made of a mapping, of ``raw`` pairs, whose names are in lower case, or of an ASGI ``scope``.

    A key gives its first value, :meth:`getlist` all; iteration gives every field, as often as it was sent.
    """

    def __init__(
        self,
        headers: Mapping[str, str] | None = None,
        raw: _Raw | None = None,
        scope: MutableMapping[str, Any] | None = None,
    ) -> None:
        self._list: _Raw = []
        given = [name for name, value in (("headers", headers), ("raw", raw), ("scope", scope)) if value is not None]
        if len(given) > 1:
            raise AssertionError(f'Cannot set both "{given[0]}" and "{given[1]}".')
        if headers is not None:
            self._list = [(_name(name), value.encode("latin-1")) for name, value in headers.items()]
        elif raw is not None:
            self._list = raw
        elif scope is not None:
            # Kept there too: servers may give any iterable, which can perhaps be read once.
            self._list = scope["headers"] = list(scope["headers"])

    @property
    def raw(self) -> _Raw:
        """Names and values as bytes."""
        return list(self._list)

    def keys(self) -> list[str]:  # type: ignore[override]
        """Give the names."""
        return [name.decode("latin-1") for name, _ in self._list]

    def values(self) -> list[str]:  # type: ignore[override]
        """Give the values."""
        return [value.decode("latin-1") for _, value in self._list]

    def items(self) -> list[tuple[str, str]]:  # type: ignore[override]
        """Give names and values."""
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._list]

    def multi_items(self) -> list[tuple[str, str]]:
        """Give names and values, as other mappings of several values call it."""
        return self.items()

    def getlist(self, key: str) -> list[str]:
        """Give all values of a field that was sent more than once, in their order."""
        wanted = _name(key)
        return [value.decode("latin-1") for name, value in self._list if name == wanted]

    def mutablecopy(self) -> MutableHeaders:
        """Give a copy that can be changed."""
        return MutableHeaders(raw=list(self._list))

    def __getitem__(self, key: str) -> str:
        wanted = _name(key)
        for name, value in self._list:
            if name == wanted:
                return value.decode("latin-1")
        raise KeyError(key)

    def __contains__(self, key: Any) -> bool:
        wanted = _name(key)
        return any(name == wanted for name, _ in self._list)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self._list)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and sorted(self._list) == sorted(other._list)

    __hash__ = None  # type: ignore[assignment] # subclasses change, and equality is by the fields

    def __repr__(self) -> str:
        once = dict(self.items())
        shown = repr(once) if len(once) == len(self._list) else f"raw={self._list!r}"
        return f"{type(self).__name__}({shown})"


class MutableHeaders(Headers):
    """Header fields of a response; the list that they were made of changes with them."""

    @property
    def raw(self) -> _Raw:
        """Names and values as bytes: the list itself."""
        return self._list

    def __setitem__(self, key: str, value: str) -> None:
        """Replace the field, in the place of its first occurrence."""
        field = (_name(key), value.encode("latin-1"))
        places = [place for place, (name, _) in enumerate(self._list) if name == field[0]]
        if not places:
            self._list.append(field)
            return
        self._list[places[0]] = field
        for place in reversed(places[1:]):
            del self._list[place]

    def __delitem__(self, key: str) -> None:
        """Remove the field, if it is there."""
        unwanted = _name(key)
        self._list[:] = [field for field in self._list if field[0] != unwanted]

    def append(self, key: str, value: str) -> None:
        """Add a field beside those of the same name."""
        self._list.append((_name(key), value.encode("latin-1")))

    def setdefault(self, key: str, value: str) -> str:
        """Give the field's value, which is ``value`` if it was not there."""
        present = self.get(key)
        if present is not None:
            return present
        self.append(key, value)
        return value

    def update(self, other: Mapping[str, str]) -> None:
        """Replace the fields that are given."""
        for key, value in other.items():
            self[key] = value

    def add_vary_header(self, vary: str) -> None:
        """Say that the response depends on one more field of the request."""
        self["vary"] = ", ".join([*self.getlist("vary"), vary])

    def __or__(self, other: Mapping[str, str]) -> MutableHeaders:
        both = self.mutablecopy()
        both |= other
        return both

    def __ior__(self, other: Mapping[str, str]) -> MutableHeaders:
        if not isinstance(other, Mapping):
            raise TypeError(f"Expected a mapping but got {type(other).__name__}")
        self.update(other)
        return self


def _name(key: str) -> bytes:
    return key.lower().encode("latin-1")
