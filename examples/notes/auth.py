"""Passwords and tokens with the standard library: scrypt, and a signed name and time. Knows no HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time

LIFETIME = 3600
_COST = {"n": 2**14, "r": 8, "p": 1}


def hash_password(password: str) -> str:
    """Give what may be kept of a password."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}:{hashlib.scrypt(password.encode(), salt=salt, **_COST).hex()}"


def is_password(password: str, kept: str) -> bool:
    """Whether it is the password of which this was kept."""
    salt, _, hashed = kept.partition(":")
    again = hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), **_COST)
    return hmac.compare_digest(again, bytes.fromhex(hashed))


class Tokens:
    """Issues tokens and knows its own again."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, name: str) -> str:
        """Give a token for this user, good for an hour."""
        content = base64.urlsafe_b64encode(f"{int(time.time()) + LIFETIME}:{name}".encode()).decode()
        return f"{content}.{self._signature(content)}"

    def name(self, token: str) -> str | None:
        """Give the user's name, None if the token is not ours or too old."""
        content, _, signature = token.partition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(content).encode()):
            return None
        end, _, name = base64.urlsafe_b64decode(content).decode().partition(":")
        return name if time.time() < int(end) else None

    def _signature(self, content: str) -> str:
        return hmac.new(self._key, content.encode(), hashlib.sha256).hexdigest()
