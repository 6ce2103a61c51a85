"""What requests and responses are made of. Knows no protocol. Uploads and forms are imported when asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..defaults import Default, DefaultPlaceholder
from ..defaults import Unset as _Unset  # noqa: F401 - known under this name
from .headers import Headers, MutableHeaders
from .multidict import ImmutableMultiDict, MultiDict, QueryParams
from .state import Address, CommaSeparatedStrings, Secret, State
from .url import URL, URLPath

if TYPE_CHECKING:
    from data_bridge.forms import FormData, UploadFile

__all__ = [
    "URL",
    "Address",
    "CommaSeparatedStrings",
    "Default",
    "DefaultPlaceholder",
    "FormData",
    "Headers",
    "ImmutableMultiDict",
    "MultiDict",
    "MutableHeaders",
    "QueryParams",
    "Secret",
    "State",
    "URLPath",
    "UploadFile",
]


def __getattr__(name: str) -> Any:
    """Import what only forms need."""
    if name not in ("FormData", "UploadFile"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("data_bridge.forms"), name)
