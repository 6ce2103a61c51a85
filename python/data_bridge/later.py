"""Names of a package whose modules are imported when somebody asks for them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def importer(package: str, places: Mapping[str, str]) -> Callable[[str], Any]:
    """Give the ``__getattr__`` (PEP 562) of ``package``: each name of ``places`` is in the module that stands there."""

    def find(name: str) -> Any:
        if name not in places:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(places[name], package), name)

    return find
