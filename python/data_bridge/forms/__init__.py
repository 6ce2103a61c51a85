"""Forms: what they are parsed to, and their parsing. Imported when they are asked for, the parser with the first."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .data import FormData
from .upload import UploadFile

if TYPE_CHECKING:
    from .parse import MultiPartException, parse_form

__all__ = ["FormData", "MultiPartException", "UploadFile", "parse_form"]


def __getattr__(name: str) -> Any:
    """Import the parser."""
    if name not in ("MultiPartException", "parse_form"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.parse"), name)
