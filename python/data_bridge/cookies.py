"""`Cookie` and `Set-Cookie`. Imported when the first cookie is read or set, since `http.cookies` takes its time."""

from __future__ import annotations

import sys
from datetime import datetime
from email.utils import format_datetime
from http import cookies
from typing import Any

#: The first Python whose cookies know the attribute.
_PARTITIONED = (3, 14)


def cookie_parser(cookie_string: str) -> dict[str, str]:
    """Take a ``Cookie`` field apart as browsers do, which is more than RFC 6265 allows: any text may be a name."""
    found: dict[str, str] = {}
    for chunk in cookie_string.split(";"):
        name, equals, value = chunk.partition("=")
        if not equals:
            name, value = "", name  # a value without a name
        name, value = name.strip(), value.strip()
        if name or value:
            found[name] = cookies._unquote(value)
    return found


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
    partitioned: bool,
) -> str:
    """Write the field's value as Starlette does."""
    if samesite is not None and samesite.lower() not in ("lax", "strict", "none"):
        raise AssertionError("samesite must be either 'strict', 'lax' or 'none'")
    if partitioned and sys.version_info < _PARTITIONED:
        raise ValueError("Partitioned cookies are only supported in Python 3.14 and above.")
    attributes: dict[str, Any] = {
        "max-age": max_age,
        "expires": format_datetime(expires, usegmt=True) if isinstance(expires, datetime) else expires,
        "path": path,
        "domain": domain,
        "secure": secure or None,
        "httponly": httponly or None,
        "samesite": samesite,
        "partitioned": partitioned or None,
    }
    cookie: cookies.SimpleCookie = cookies.SimpleCookie()
    cookie[key] = value
    for name, attribute in attributes.items():
        if attribute is not None:
            cookie[key][name] = attribute
    return cookie.output(header="").strip()
