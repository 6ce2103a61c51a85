"""Tells when a router's routes change, so that nobody has to ask at each request."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class WatchedList(list[Any]):
    """A list that tells its watchers of each change."""

    def __init__(self, items: list[Any]) -> None:
        super().__init__(items)
        self.watchers: list[weakref.WeakMethod[Callable[[], None]]] = []

    def changed(self) -> None:
        """Tell those watchers that are left."""
        self.watchers = [watcher for watcher in self.watchers if watcher() is not None]
        for watcher in self.watchers:
            call = watcher()
            if call is not None:
                call()


def _telling(name: str) -> Callable[..., Any]:
    method = getattr(list, name)

    def call(self: WatchedList, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        finally:
            if "watchers" in self.__dict__:  # absent while the list is copied
                self.changed()

    call.__name__ = name
    return call


for _name in (
    "append",
    "extend",
    "insert",
    "remove",
    "pop",
    "clear",
    "sort",
    "reverse",
    "__setitem__",
    "__delitem__",
    "__iadd__",
    "__imul__",
):
    setattr(WatchedList, _name, _telling(_name))


def watch(router: Any, changed: Callable[[], None]) -> None:
    """Have ``changed``, a bound method, called when the routes of ``router`` or of one that it includes change."""
    routes = router.routes
    if not isinstance(routes, WatchedList):
        routes = router.routes = WatchedList(routes)
    watcher = weakref.WeakMethod(changed)
    if watcher not in routes.watchers:
        routes.watchers.append(watcher)
    for route in list(routes):
        included = getattr(route, "original_router", None)
        if included is not None and included is not router:
            watch(included, changed)
