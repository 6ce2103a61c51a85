"""What may stand in a path's `{name:kind}`: the pattern of each kind, its value in Python and back. Data first."""

from __future__ import annotations

import math
import uuid
from typing import Any, ClassVar, Generic, TypeVar

T = TypeVar("T")


class Convertor(Generic[T]):
    """A kind of path parameter. Subclass it, and name it with :func:`register_url_convertor`."""

    #: What the text of such a parameter looks like.
    regex: ClassVar[str] = ""

    def convert(self, value: str) -> T:
        """Make the value that the endpoint gets of the path's text."""
        raise NotImplementedError

    def to_string(self, value: T) -> str:
        """Make the path's text of a value, for ``url_path_for``."""
        raise NotImplementedError


class StringConvertor(Convertor[str]):
    """One segment of the path: what is meant where no kind is named."""

    regex = "[^/]+"

    def convert(self, value: str) -> str:
        """Give the text."""
        return value

    def to_string(self, value: str) -> str:
        """Give the text; it may be neither empty nor hold a slash."""
        text = str(value)
        assert "/" not in text, "May not contain path separators"  # noqa: S101 - the type that users know
        assert text, "Must not be empty"  # noqa: S101
        return text


class PathConvertor(Convertor[str]):
    """The rest of the path, slashes and all."""

    regex = ".*"

    def convert(self, value: str) -> str:
        """Give the text."""
        return value

    def to_string(self, value: str) -> str:
        """Give the text."""
        return str(value)


class IntegerConvertor(Convertor[int]):
    """Digits."""

    regex = "[0-9]+"

    def convert(self, value: str) -> int:
        """Read the digits."""
        return int(value)

    def to_string(self, value: int) -> str:
        """Write a number that is not negative."""
        number = int(value)
        assert number >= 0, "Negative integers are not supported"  # noqa: S101
        return str(number)


class FloatConvertor(Convertor[float]):
    """Digits with a decimal point, or without."""

    regex = r"[0-9]+(\.[0-9]+)?"

    def convert(self, value: str) -> float:
        """Read the number."""
        return float(value)

    def to_string(self, value: float) -> str:
        """Write a finite number that is not negative, without an exponent."""
        number = float(value)
        assert not math.isnan(number), "NaN values are not supported"  # noqa: S101
        assert not math.isinf(number), "Infinite values are not supported"  # noqa: S101
        assert number >= 0.0, "Negative floats are not supported"  # noqa: S101
        return f"{number:.20f}".rstrip("0").rstrip(".")


class UUIDConvertor(Convertor[uuid.UUID]):
    """A UUID, with its hyphens or without."""

    regex = "[0-9a-fA-F]{8}" + 3 * "-?[0-9a-fA-F]{4}" + "-?[0-9a-fA-F]{12}"

    def convert(self, value: str) -> uuid.UUID:
        """Read the UUID."""
        return uuid.UUID(value)

    def to_string(self, value: uuid.UUID) -> str:
        """Write the UUID."""
        return str(value)


#: The kinds by the names that paths use.
CONVERTOR_TYPES: dict[str, Convertor[Any]] = {
    "str": StringConvertor(),
    "path": PathConvertor(),
    "int": IntegerConvertor(),
    "float": FloatConvertor(),
    "uuid": UUIDConvertor(),
}


def register_url_convertor(key: str, convertor: Convertor[Any]) -> None:
    """Let paths use ``{name:key}``."""
    CONVERTOR_TYPES[key] = convertor
