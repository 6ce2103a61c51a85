"""The value of a ``Set-Cookie`` field. Imported when the first cookie is set, since `http.cookies` takes its time."""

from __future__ import annotations

from datetime import datetime
from email.utils import format_datetime
from http.cookies import SimpleCookie
from typing import Any


def set_cookie_value(
    key: str,
    value: str,
    *,
    max_age: int | None,
    expires: datetime | str | int | None,
    path: str | None,
    domain: str | None,
    secure: bool,
    httponly: bool,
    samesite: str | None,
) -> str:
    """Write the field's value as Starlette does."""
    if samesite is not None and samesite.lower() not in ("lax", "strict", "none"):
        raise ValueError(f"samesite must be 'lax', 'strict' or 'none', not {samesite!r}")
    attributes: dict[str, Any] = {
        "max-age": max_age,
        "expires": format_datetime(expires, usegmt=True) if isinstance(expires, datetime) else expires,
        "path": path,
        "domain": domain,
        "secure": secure or None,
        "httponly": httponly or None,
        "samesite": samesite,
    }
    cookie: SimpleCookie = SimpleCookie()
    cookie[key] = value
    for name, attribute in attributes.items():
        if attribute is not None:
            cookie[key][name] = attribute
    return cookie.output(header="").strip()
