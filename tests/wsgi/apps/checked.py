"""An app between the two sides that `wsgiref.validate` watches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from wsgiref.validate import validator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    body = environ["wsgi.input"].read(-1)
    environ["wsgi.errors"].write("")
    environ["wsgi.errors"].flush()
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"read %d" % len(body)]


app = validator(answer)
