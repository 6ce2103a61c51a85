"""URLs: of a text, of an ASGI scope or of their parts, and paths that become URLs. Knows no route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from .host import parse_host_header
from .multidict import MultiDict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data_bridge.types import Scope

#: The ports that URLs of these schemes need not name.
DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_SECURE = {"http": "https", "websocket": "wss"}
_PLAIN = {"http": "http", "websocket": "ws"}

#: What makes up a network location: changing one of them writes it anew.
_AUTHORITY = ("username", "password", "hostname", "port")


class URL:
    """A URL that cannot be changed: its methods give new ones."""

    def __init__(self, url: str = "", scope: Scope | None = None, **components: Any) -> None:
        if scope is not None:
            if url:
                raise AssertionError('Cannot set both "url" and "scope".')
            if components:
                raise AssertionError('Cannot set both "scope" and "**components".')
            url = _of_scope(scope)
        elif components:
            if url:
                raise AssertionError('Cannot set both "url" and "**components".')
            url = URL("").replace(**components).components.geturl()
        self._url = url
        self._components: SplitResult | None = None

    @property
    def components(self) -> SplitResult:
        """The parts, as :func:`urllib.parse.urlsplit` names them."""
        if self._components is None:
            self._components = urlsplit(self._url)
        return self._components

    @property
    def scheme(self) -> str:
        """``http``, ``https``, ``ws`` or ``wss``."""
        return self.components.scheme

    @property
    def netloc(self) -> str:
        """User, host and port, as they are written."""
        return self.components.netloc

    @property
    def path(self) -> str:
        """The path."""
        return self.components.path

    @property
    def query(self) -> str:
        """The query, without its question mark."""
        return self.components.query

    @property
    def fragment(self) -> str:
        """What follows the hash sign."""
        return self.components.fragment

    @property
    def username(self) -> str | None:
        """The user, if one is named."""
        return self.components.username

    @property
    def password(self) -> str | None:
        """The password, if one is named."""
        return self.components.password

    @property
    def hostname(self) -> str | None:
        """The host, an address without its brackets."""
        return self.components.hostname

    @property
    def port(self) -> int | None:
        """The port, if one is named."""
        return self.components.port

    @property
    def is_secure(self) -> bool:
        """Whether it is of a protocol over TLS."""
        return self.scheme in _SECURE.values()

    def replace(self, **kwargs: Any) -> URL:
        """Give one with other parts; ``username``, ``password``, ``hostname`` and ``port`` are parts too."""
        if any(name in kwargs for name in _AUTHORITY):
            changes = {name: kwargs.pop(name) for name in _AUTHORITY if name in kwargs}
            kwargs["netloc"] = self._netloc(changes)
        return type(self)(self.components._replace(**kwargs).geturl())

    def _netloc(self, changes: dict[str, Any]) -> str:
        hostname = changes.get("hostname")
        netloc = self._written_host() if hostname is None else _bracketed(hostname)
        port = changes.get("port", self.port)
        if port is not None:
            netloc += f":{port}"
        username = changes.get("username", self.username)
        if username is None:
            return netloc
        password = changes.get("password", self.password)
        return f"{username}@{netloc}" if password is None else f"{username}:{password}@{netloc}"

    def _written_host(self) -> str:
        host = self.netloc.rpartition("@")[2]
        return host if not host or host.endswith("]") else host.rsplit(":", 1)[0]

    def include_query_params(self, **kwargs: Any) -> URL:
        """Give one whose query has these values; others stay."""
        params = self._params()
        params.update({name: str(value) for name, value in kwargs.items()})
        return self.replace(query=urlencode(params.multi_items()))

    def replace_query_params(self, **kwargs: Any) -> URL:
        """Give one whose query has these values only."""
        return self.replace(query=urlencode([(name, str(value)) for name, value in kwargs.items()]))

    def remove_query_params(self, keys: str | Sequence[str]) -> URL:
        """Give one whose query lacks these keys."""
        params = self._params()
        for key in [keys] if isinstance(keys, str) else keys:
            params.pop(key)
        return self.replace(query=urlencode(params.multi_items()))

    def _params(self) -> MultiDict:
        return MultiDict(parse_qsl(self.query, keep_blank_values=True))

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other)

    __hash__ = None  # type: ignore[assignment] # equal to the text, whose hash it cannot have

    def __str__(self) -> str:
        return self._url

    def __repr__(self) -> str:
        shown = self.replace(password="********") if self.password else self  # noqa: S106 - stars
        return f"{type(self).__name__}({str(shown)!r})"


class URLPath(str):
    """The path of a route, and which protocol and host the route is for, where it says so."""

    __slots__ = ("host", "protocol")

    protocol: str
    host: str

    def __new__(cls, path: str, protocol: str = "", host: str = "") -> URLPath:
        """Write the path so that nothing in it can be taken for a host."""
        if protocol not in ("http", "websocket", ""):
            raise AssertionError(f'the protocol is "http", "websocket" or "", not {protocol!r}')
        made = super().__new__(cls, _no_authority(path.replace("\\", "%5C")))
        made.protocol = protocol
        made.host = host
        return made

    def make_absolute_url(self, base_url: str | URL) -> URL:
        """Give the URL of the path below ``base_url``."""
        base = URL(base_url) if isinstance(base_url, str) else base_url
        scheme = (_SECURE if base.is_secure else _PLAIN)[self.protocol] if self.protocol else base.scheme
        return URL(scheme=scheme, netloc=self.host or base.netloc, path=base.path.rstrip("/") + str(self))


def _of_scope(scope: Scope) -> str:
    scheme = scope.get("scheme", "http")
    path = scope["path"].replace("?", "%3F").replace("#", "%23").replace("\\", "%5C")
    query = scope.get("query_string", b"").decode()
    netloc = _netloc_of(scope, scheme)
    if netloc is not None:
        return SplitResult(scheme, netloc, path, query, "").geturl()
    path = _no_authority(path)
    return f"{path}?{query}" if query else path


def _netloc_of(scope: Scope, scheme: str) -> str | None:
    field = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), None)
    parsed = parse_host_header(field)
    if parsed is not None and parsed.is_valid_port:
        return parsed.authority
    server = scope.get("server")
    if server is None:
        return None
    host, port = server
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return host if port == DEFAULT_PORTS[scheme] else f"{host}:{port}"


def _no_authority(path: str) -> str:
    """Two slashes at the beginning would announce a host."""
    return "/%2F" + path[2:] if path.startswith("//") else path


def _bracketed(hostname: str) -> str:
    if ":" not in hostname or hostname.startswith("["):
        return hostname
    from ipaddress import IPv6Address  # noqa: PLC0415 - few hosts are addresses

    try:
        IPv6Address(hostname)
    except ValueError:
        return hostname
    return f"[{hostname}]"
