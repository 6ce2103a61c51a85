"""What requests and responses are made of: header fields, query parameters, addresses, state. Knows no protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, NamedTuple


class Address(NamedTuple):
    """One end of a connection."""

    host: str
    port: int


class State:
    """Attributes that an application keeps for itself; each request starts with those of the lifespan."""

    def __init__(self, initial: Mapping[str, Any] | None = None) -> None:
        self.__dict__.update(initial or {})

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the state has no attribute {name!r}")


class QueryParams(Mapping[str, str]):
    """The pairs of a query. A key gives its last value; :meth:`getlist` gives all."""

    __slots__ = ("_last", "_pairs")

    def __init__(self, query: bytes | str = b"") -> None:
        from urllib.parse import parse_qsl  # noqa: PLC0415 - an application that asks for no query starts without it

        text = query.decode("latin-1") if isinstance(query, bytes) else query
        self._pairs = parse_qsl(text, keep_blank_values=True)
        self._last = dict(self._pairs)

    def __getitem__(self, key: str) -> str:
        return self._last[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._last)

    def __len__(self) -> int:
        return len(self._last)

    def getlist(self, key: str) -> list[str]:
        """All values of ``key``, in the order they were sent."""
        return [value for name, value in self._pairs if name == key]

    def multi_items(self) -> list[tuple[str, str]]:
        """All pairs, in the order they were sent."""
        return list(self._pairs)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._pairs!r})"


class Headers(Mapping[str, str]):
    """Header fields. Names are found in any case and iterate in lower case; a key gives its first value."""

    __slots__ = ("_raw",)

    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        self._raw = raw

    @property
    def raw(self) -> list[tuple[bytes, bytes]]:
        """Names and values as bytes."""
        return self._raw

    def __getitem__(self, key: str) -> str:
        wanted = _name(key)
        for name, value in self._raw:
            if name.lower() == wanted:
                return value.decode("latin-1")
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name.lower().decode("latin-1") for name, _ in self._raw))

    def __len__(self) -> int:
        return len({name.lower() for name, _ in self._raw})

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and any(name.lower() == _name(key) for name, _ in self._raw)

    def getlist(self, key: str) -> list[str]:
        """All values of a field that was sent more than once, in their order."""
        return [value.decode("latin-1") for name, value in self._raw if name.lower() == _name(key)]

    def multi_items(self) -> list[tuple[str, str]]:
        """All fields, in the order they were sent."""
        return [(name.lower().decode("latin-1"), value.decode("latin-1")) for name, value in self._raw]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.multi_items()!r})"


class MutableHeaders(Headers, MutableMapping[str, str]):
    """Header fields of a response."""

    __slots__ = ()

    def __setitem__(self, key: str, value: str) -> None:
        """Replace the field, in the place of its first occurrence."""
        wanted, encoded = _name(key), value.encode("latin-1")
        places = [index for index, (name, _) in enumerate(self._raw) if name.lower() == wanted]
        for index in reversed(places[1:]):
            del self._raw[index]
        if places:
            self._raw[places[0]] = (wanted, encoded)
        else:
            self._raw.append((wanted, encoded))

    def __delitem__(self, key: str) -> None:
        wanted = _name(key)
        kept = [(name, value) for name, value in self._raw if name.lower() != wanted]
        if len(kept) == len(self._raw):
            raise KeyError(key)
        self._raw[:] = kept

    def append(self, key: str, value: str) -> None:
        """Add a field beside those of the same name."""
        self._raw.append((_name(key), value.encode("latin-1")))


def _name(key: str) -> bytes:
    return key.lower().encode("latin-1")
