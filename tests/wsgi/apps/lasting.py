"""A WSGI call that lasts longer than any stop."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def app(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    print("the call has begun", flush=True)
    threading.Event().wait(3600)
    start("200 OK", [])
    return [b"late"]
