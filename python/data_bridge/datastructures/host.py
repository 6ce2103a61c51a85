"""The `Host` field: its host and its port, if it is one that cannot be taken for a path or for another authority."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

#: RFC 3986's reg-name, or an address in brackets; then a port.
_HOST = re.compile(
    r"""(?P<host>
          [a-z0-9._~%!$&'()*+,;=-]+
        | \[ (?: (?P<ipv6>[a-f0-9]*:[a-f0-9.:]+) | (?-i:v)[a-f0-9]+\.[a-z0-9._~!$&'()*+,;=:-]+ ) \]
        )
        (?: : (?P<port>[0-9]+) )?""",
    re.IGNORECASE | re.VERBOSE,
)

_LAST_PORT = 65535


class ParsedHost(NamedTuple):
    """A host, an address with its brackets, and the digits of its port."""

    host: str
    port: str | None

    @property
    def authority(self) -> str:
        """Both, as in a URL."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def is_valid_port(self) -> bool:
        """Whether there is such a port, or none is named."""
        digits = (self.port or "").lstrip("0")
        return len(digits) <= len(str(_LAST_PORT)) and int(digits or "0") <= _LAST_PORT


@lru_cache(128)
def parse_host_header(host_header: str | None) -> ParsedHost | None:
    """Take a ``Host`` field apart; None for what is no host."""
    found = None if host_header is None else _HOST.fullmatch(host_header)
    if found is None:
        return None
    if found["ipv6"] is not None and not _is_address(found["ipv6"]):
        return None
    return ParsedHost(found["host"], found["port"])


def _is_address(text: str) -> bool:
    from ipaddress import AddressValueError, IPv6Address  # noqa: PLC0415 - few clients name an address

    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True
