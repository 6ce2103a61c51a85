"""Functions of a framework that integrations replace: whoever does wants its own called, which the plan would not."""

from __future__ import annotations

from typing import Any


class Hooks:
    """Functions by their modules and names, as they are when this is made."""

    def __init__(self, *places: tuple[Any, str]) -> None:
        self._originals = {place: getattr(*place) for place in places}

    def replaced(self) -> str | None:
        """Say which of them somebody has replaced, before or since, if there is one."""
        for (module, name), original in self._originals.items():
            current = getattr(module, name, None)
            package = module.__name__.partition(".")[0]
            if current is not original or not getattr(current, "__module__", "").startswith(f"{package}."):
                return f"{module.__name__}.{name} was replaced"
        return None
