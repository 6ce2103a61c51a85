"""The Authorization header: a scheme and what follows it."""

from __future__ import annotations


def get_authorization_scheme_param(authorization_header_value: str | None) -> tuple[str, str]:
    """Split ``Bearer abc`` into ``("Bearer", "abc")``; two empty texts where there is no header."""
    scheme, _, parameter = (authorization_header_value or "").partition(" ")
    return scheme, parameter.strip()
