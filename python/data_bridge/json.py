"""JSON: Python objects from bytes and back, as orjson does it. The work is done in Rust; this names it.

``dumps`` gives bytes. It knows ``str``, ``int`` of any size, ``float``, ``bool``, ``None``, ``dict``, ``list`` and
``tuple``, subclasses of ``str``, ``int``, ``dict`` and ``list``, dataclasses, ``datetime``, ``date``, ``time``,
``UUID``, enums, Pydantic models, and numpy's arrays and scalars. For anything else it calls ``default``.

Options are added up: ``dumps(obj, option=OPT_SORT_KEYS | OPT_INDENT_2)``. Names and values are orjson's.
"""

from __future__ import annotations

from json import JSONDecodeError

from ._native import (
    OPT_APPEND_NEWLINE,
    OPT_INDENT_2,
    OPT_NAIVE_UTC,
    OPT_NON_STR_KEYS,
    OPT_OMIT_MICROSECONDS,
    OPT_PASSTHROUGH_DATACLASS,
    OPT_PASSTHROUGH_DATETIME,
    OPT_PASSTHROUGH_SUBCLASS,
    OPT_SERIALIZE_DATACLASS,
    OPT_SERIALIZE_NUMPY,
    OPT_SERIALIZE_UUID,
    OPT_SORT_KEYS,
    OPT_STRICT_FLOAT,
    OPT_STRICT_INTEGER,
    OPT_UTC_Z,
    dumps,
    loads,
)
from .exceptions import JSONEncodeError

__all__ = [
    "OPT_APPEND_NEWLINE",
    "OPT_INDENT_2",
    "OPT_NAIVE_UTC",
    "OPT_NON_STR_KEYS",
    "OPT_OMIT_MICROSECONDS",
    "OPT_PASSTHROUGH_DATACLASS",
    "OPT_PASSTHROUGH_DATETIME",
    "OPT_PASSTHROUGH_SUBCLASS",
    "OPT_SERIALIZE_DATACLASS",
    "OPT_SERIALIZE_NUMPY",
    "OPT_SERIALIZE_UUID",
    "OPT_SORT_KEYS",
    "OPT_STRICT_FLOAT",
    "OPT_STRICT_INTEGER",
    "OPT_UTC_Z",
    "JSONDecodeError",
    "JSONEncodeError",
    "dumps",
    "loads",
]
