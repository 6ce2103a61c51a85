"""Which module of data_bridge stands for which of FastAPI's, and the import hook that gives it."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

_SAME = (
    "background",
    "concurrency",
    "datastructures",
    "dependencies",
    "dependencies.models",
    "encoders",
    "exception_handlers",
    "exceptions",
    "middleware",
    "middleware.cors",
    "middleware.gzip",
    "middleware.httpsredirect",
    "middleware.trustedhost",
    "middleware.wsgi",
    "openapi",
    "openapi.constants",
    "openapi.docs",
    "openapi.models",
    "openapi.utils",
    "param_functions",
    "params",
    "requests",
    "responses",
    "routing",
    "security",
    "security.api_key",
    "security.base",
    "security.http",
    "security.oauth2",
    "security.open_id_connect_url",
    "sse",
    "staticfiles",
    "telemetry",
    "templating",
    "testclient",
    "types",
    "utils",
    "websockets",
)

#: FastAPI's modules and ours, both without the package's name.
MODULES = {name: name for name in _SAME} | {
    "_body_limit": "middleware.body_limit",
    "_compat": "fields",
    "_compat.shared": "fields.annotations",
    "_compat.v2": "fields",
    "_form_limits": "form_limits",
    "applications": "app",
    "dependencies.utils": "dependencies",
    "middleware.asyncexitstack": "middleware.exit_stack",
    "security.utils": "security.authorization",
    "telemetry._api": "telemetry",
    "telemetry._asgi": "telemetry.spans",
    "telemetry._runtime": "telemetry.export",
}


def _children() -> dict[str, str]:
    """Give children that are called otherwise with us: ``from fastapi.telemetry import _runtime`` looks there."""
    found = {}
    for name, ours in MODULES.items():
        parent, _, child = name.rpartition(".")
        if parent and f"{MODULES[parent]}.{child}" != ours:
            found[f"data_bridge.{MODULES[parent]}.{child}"] = f"data_bridge.{ours}"
    return found


_CHILDREN = _children()


class Aliases(MetaPathFinder, Loader):
    """Finds `PACKAGE.X` in the table; asked first, since a package's children lie in our own folders."""

    def __init__(self, package: str) -> None:
        self._prefix = f"{package}."

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Give a spec for a module of the table."""
        ours = self._ours(fullname)
        return ModuleSpec(fullname, self) if ours and find_spec(ours) else None

    def exec_module(self, module: ModuleType) -> None:
        """Put our module in the place of the empty one that the import system made."""
        sys.modules[module.__name__] = import_module(self._ours(module.__name__) or "")

    def _ours(self, fullname: str) -> str | None:
        """Give our module's name. Those that are not in the table are files beside this one."""
        if not fullname.startswith(self._prefix):
            return _CHILDREN.get(fullname)
        name = fullname.removeprefix(self._prefix)
        if name in MODULES:
            return f"data_bridge.{MODULES[name]}"
        return None if self._prefix == f"{__package__}." else f"{__package__}.{name}"
