"""The `Host` field: what of it may be trusted to be a host. Knows no list of hosts."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple

_NAME = r"[a-z0-9._~%!$&'()*+,;=-]+"
_FUTURE = r"(?-i:v)[a-f0-9]+\.[a-z0-9._~!$&'()*+,;=:-]+"
#: RFC 3986, 3.2.2 without user information: no character that would end the authority or begin a path.
_HOST = re.compile(
    rf"(?P<host>{_NAME}|\[(?:(?P<ipv6>[a-f0-9]*:[a-f0-9.:]+)|{_FUTURE})\])(?::(?P<port>[0-9]+))?", re.IGNORECASE
)
_LAST_PORT = 65535


class ParsedHost(NamedTuple):
    """A host (an address in its brackets) and the port as it was sent."""

    host: str
    port: str | None

    @property
    def authority(self) -> str:
        """Both, as a URL has them."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def is_valid_port(self) -> bool:
        """Whether there is no port, or one that exists."""
        digits = (self.port or "").lstrip("0")
        return len(digits) <= len(str(_LAST_PORT)) and int(digits or "0") <= _LAST_PORT


def parse_host_header(host_header: str | None) -> ParsedHost | None:
    """Take the field apart; None where it is missing or is no host."""
    found = None if host_header is None else _HOST.fullmatch(host_header)
    if found is None:
        return None
    if found["ipv6"] is not None:
        try:
            IPv6Address(found["ipv6"])
        except AddressValueError:
            return None
    return ParsedHost(found["host"], found["port"])
