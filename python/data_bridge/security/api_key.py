"""A key that the client sends by an agreed name: in the query, in a header, in a cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data_bridge.openapi.schemes import APIKey, APIKeyIn
from data_bridge.requests import HTTPConnection  # noqa: TC001 - the dependency's signature is read at run time
from data_bridge.security.base import SecurityBase

if TYPE_CHECKING:
    from typing import ClassVar


class APIKeyBase(SecurityBase):
    """What the three share; ``check_api_key`` and the challenge may be overridden."""

    model: APIKey

    def __init__(
        self, location: APIKeyIn, name: str, description: str | None, scheme_name: str | None, auto_error: bool
    ) -> None:
        scheme = APIKey(**{"in": location}, name=name, description=description)  # type: ignore[arg-type]
        self._describe(scheme, scheme_name, auto_error=auto_error)

    def make_authenticate_headers(self) -> dict[str, str]:
        """Give the challenge: no standard names one for keys, so its name is the scheme's."""
        return {"WWW-Authenticate": "APIKey"}

    def check_api_key(self, api_key: str | None) -> str | None:
        """Give the key; refuse an empty one like none."""
        if not api_key:
            self._refuse()
            return None
        return api_key


class _APIKeyAt(APIKeyBase):
    """One of the three places. ``name`` is what the key is called there."""

    location: ClassVar[APIKeyIn]

    def __init__(
        self, *, name: str, scheme_name: str | None = None, description: str | None = None, auto_error: bool = True
    ) -> None:
        super().__init__(self.location, name, description, scheme_name, auto_error)


class APIKeyQuery(_APIKeyAt):
    """A key in the query."""

    location = APIKeyIn.query

    async def __call__(self, request: HTTPConnection) -> str | None:
        """Read the credential."""
        return self.check_api_key(request.query_params.get(self.model.name))


class APIKeyHeader(_APIKeyAt):
    """A key in a header."""

    location = APIKeyIn.header

    async def __call__(self, request: HTTPConnection) -> str | None:
        """Read the credential."""
        return self.check_api_key(request.headers.get(self.model.name))


class APIKeyCookie(_APIKeyAt):
    """A key in a cookie."""

    location = APIKeyIn.cookie

    async def __call__(self, request: HTTPConnection) -> str | None:
        """Read the credential."""
        return self.check_api_key(request.cookies.get(self.model.name))
