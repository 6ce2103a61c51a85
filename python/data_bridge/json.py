"""JSON to and from Python objects, in Rust."""

from __future__ import annotations

from json import JSONDecodeError

from ._native import loads

__all__ = ["JSONDecodeError", "loads"]
