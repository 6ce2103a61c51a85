"""Any object as what JSON can carry: models, dataclasses, dates, whatever has attributes. Knows no response."""

from __future__ import annotations

import dataclasses
import datetime as dt
import sys
from collections import deque
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from pathlib import Path, PurePath
from re import Pattern
from types import GeneratorType
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import BaseModel
from pydantic.networks import AnyUrl, NameEmail
from pydantic.types import SecretBytes, SecretStr
from pydantic_core import PydanticUndefinedType, Url

from .exceptions import PydanticV1NotSupportedError
from .fields.annotations import is_pydantic_v1_model_instance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .defaults import IncEx

    Encoder = Callable[[Any], Any]


def isoformat(value: dt.date | dt.time) -> str:
    """Give a date or a time as ISO 8601 has it."""
    return value.isoformat()


def decimal_encoder(dec_value: Decimal) -> int | float:
    """Give a whole number as one, another as a float; NaN and the infinities as floats too."""
    exponent = dec_value.as_tuple().exponent
    return int(dec_value) if isinstance(exponent, int) and exponent >= 0 else float(dec_value)


#: By a class: what its objects become. Objects of derived classes too, the first class that fits counting.
ENCODERS_BY_TYPE: dict[type[Any], Encoder] = {
    bytes: lambda value: value.decode(),
    dt.date: isoformat,
    dt.datetime: isoformat,
    dt.time: isoformat,
    dt.timedelta: lambda value: value.total_seconds(),
    Decimal: decimal_encoder,
    Enum: lambda value: value.value,
    frozenset: list,
    deque: list,
    GeneratorType: list,
    IPv4Address: str,
    IPv4Interface: str,
    IPv4Network: str,
    IPv6Address: str,
    IPv6Interface: str,
    IPv6Network: str,
    NameEmail: str,
    Path: str,
    Pattern: lambda value: value.pattern,
    SecretBytes: str,
    SecretStr: str,
    set: list,
    UUID: str,
    Url: str,
    AnyUrl: str,
}
#: Classes of modules that only those have imported who use them.
_COLORS = (("pydantic.color", "Color"), ("pydantic_extra_types.color", "Color"))

_Plain = (str, int, float, type(None))
_Leaves = (Enum, PurePath, *_Plain, PydanticUndefinedType)
_Sequences = (list, set, frozenset, GeneratorType, tuple, deque)


@dataclasses.dataclass(frozen=True, slots=True)
class _Options:
    """What holds for an object and for all in it."""

    by_alias: bool
    exclude_unset: bool
    exclude_defaults: bool
    exclude_none: bool
    custom: dict[Any, Encoder]
    sqlalchemy_safe: bool


def jsonable_encoder(
    obj: Any,
    include: IncEx | None = None,
    exclude: IncEx | None = None,
    by_alias: bool = True,
    exclude_unset: bool = False,
    exclude_defaults: bool = False,
    exclude_none: bool = False,
    custom_encoder: dict[Any, Encoder] | None = None,
    sqlalchemy_safe: bool = True,
) -> Any:
    """Give dictionaries, lists, texts and numbers for ``obj``, which ``json.dumps`` takes.

    ``include`` and ``exclude`` choose members of models and dictionaries, the ``exclude_`` flags are Pydantic's.
    ``custom_encoder`` holds functions by class, which come before all others. ``sqlalchemy_safe`` leaves out members
    whose names begin with ``_sa``.
    """
    options = _Options(by_alias, exclude_unset, exclude_defaults, exclude_none, custom_encoder or {}, sqlalchemy_safe)
    return _encode(obj, options, _as_set(include), _as_set(exclude))


def _as_set(names: Any) -> Any:
    return set(names) if names is not None and not isinstance(names, (set, dict)) else names


def _encode(obj: Any, options: _Options, include: Any = None, exclude: Any = None) -> Any:
    custom = _encoder_among(options.custom, obj) if options.custom else None
    if custom is not None:
        return custom(obj)
    if isinstance(obj, _Leaves) and not dataclasses.is_dataclass(obj):
        return _leaf(obj)
    if isinstance(obj, BaseModel):
        return _encode_model(obj, options, include, exclude)
    if isinstance(obj, dict):
        return _encode_dict(obj, options, include, exclude)
    if isinstance(obj, _Sequences):
        return [_encode(item, options, include, exclude) for item in obj]
    return _encode_other(obj, options, include, exclude)


def _leaf(obj: Any) -> Any:
    if isinstance(obj, Enum):
        return obj.value
    if isinstance(obj, PurePath):
        return str(obj)
    return obj if isinstance(obj, _Plain) else None


def _encode_model(model: BaseModel, options: _Options, include: Any, exclude: Any) -> Any:
    members = model.model_dump(
        mode="json",
        include=include,
        exclude=exclude,
        by_alias=options.by_alias,
        exclude_unset=options.exclude_unset,
        exclude_none=options.exclude_none,
        exclude_defaults=options.exclude_defaults,
    )
    # Pydantic has seen to the rest; what a serialiser of the user's gave may still hold anything.
    rest = dataclasses.replace(options, by_alias=True, exclude_unset=False, custom={})
    return _encode(members, rest)


def _encode_dict(obj: dict[Any, Any], options: _Options, include: Any, exclude: Any) -> dict[Any, Any]:
    encoded = {}
    for key, value in obj.items():
        if (include is not None and key not in include) or (exclude is not None and key in exclude):
            continue
        if value is None and options.exclude_none:
            continue
        if options.sqlalchemy_safe and isinstance(key, str) and key.startswith("_sa"):
            continue
        encoded[_encode(key, options)] = _encode(value, options)
    return encoded


def _encode_other(obj: Any, options: _Options, include: Any, exclude: Any) -> Any:
    if dataclasses.is_dataclass(obj) and not isinstance(obj, type):
        return _encode(dataclasses.asdict(obj), options, include, exclude)
    encoder = _encoder_among(ENCODERS_BY_TYPE, obj) or _encoder_of_color(obj)
    if encoder is not None:
        return encoder(obj)
    if is_pydantic_v1_model_instance(obj):
        raise PydanticV1NotSupportedError(
            f"pydantic.v1 models are no longer supported by FastAPI. Please update the model {obj!r}."
        )
    return _encode(_members(obj), options, include, exclude)


def _encoder_among(encoders: dict[Any, Encoder], obj: Any) -> Encoder | None:
    exact = encoders.get(type(obj))
    if exact is not None:
        return exact
    return next((encoder for cls, encoder in encoders.items() if isinstance(obj, cls)), None)


def _encoder_of_color(obj: Any) -> Encoder | None:
    colors: Iterable[Any] = (getattr(sys.modules.get(module), name, None) for module, name in _COLORS)
    return str if any(color is not None and isinstance(obj, color) for color in colors) else None


def _members(obj: Any) -> Any:
    """Give what an unknown object holds; raises ``ValueError`` with both reasons if that cannot be found."""
    try:
        return dict(obj)
    except Exception as no_mapping:  # noqa: BLE001 - whatever a foreign class raises
        try:
            return vars(obj)
        except Exception as no_attributes:
            raise ValueError([no_mapping, no_attributes]) from no_attributes
