"""HTTP authentication: Basic (RFC 7617), Bearer (RFC 6750) and Digest (RFC 7616), from the Authorization header."""

from __future__ import annotations

from base64 import b64decode

from pydantic import BaseModel

from data_bridge.openapi.schemes import HTTPBase as HTTPBaseModel
from data_bridge.openapi.schemes import HTTPBearer as HTTPBearerModel
from data_bridge.requests import HTTPConnection  # noqa: TC001 - the dependency's signature is read at run time
from data_bridge.security.authorization import get_authorization_scheme_param
from data_bridge.security.base import SecurityBase


class HTTPBasicCredentials(BaseModel):
    """What :class:`HTTPBasic` read."""

    username: str
    password: str


class HTTPAuthorizationCredentials(BaseModel):
    """What stood in the Authorization header: ``Bearer abc`` is the scheme ``Bearer`` with the credentials ``abc``."""

    scheme: str
    credentials: str


class HTTPBase(SecurityBase):
    """Any scheme of the Authorization header, taken as it is sent."""

    model: HTTPBaseModel

    def __init__(
        self, *, scheme: str, scheme_name: str | None = None, description: str | None = None, auto_error: bool = True
    ) -> None:
        self._describe(HTTPBaseModel(scheme=scheme, description=description), scheme_name, auto_error=auto_error)

    def make_authenticate_headers(self) -> dict[str, str]:
        """Give the challenge: the scheme's name."""
        return {"WWW-Authenticate": self.model.scheme.title()}

    def _accepts(self, scheme: str) -> bool:
        return True

    async def __call__(self, request: HTTPConnection) -> HTTPAuthorizationCredentials | None:
        """Read the credential."""
        scheme, credentials = get_authorization_scheme_param(request.headers.get("Authorization"))
        if not (scheme and credentials and self._accepts(scheme)):
            self._refuse()
            return None
        return HTTPAuthorizationCredentials(scheme=scheme, credentials=credentials)


class HTTPBasic(HTTPBase):
    """A name and a password; ``realm`` stands in the challenge.

    Credentials that cannot be read are refused even where ``auto_error`` is False: they were meant, and are wrong.
    """

    def __init__(
        self,
        *,
        scheme_name: str | None = None,
        realm: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        super().__init__(scheme="basic", scheme_name=scheme_name, description=description, auto_error=auto_error)
        self.realm = realm

    def make_authenticate_headers(self) -> dict[str, str]:
        """Give the challenge, with the realm where there is one."""
        return {"WWW-Authenticate": f'Basic realm="{self.realm}"' if self.realm else "Basic"}

    async def __call__(self, request: HTTPConnection) -> HTTPBasicCredentials | None:  # type: ignore[override]
        """Read the credential."""
        scheme, encoded = get_authorization_scheme_param(request.headers.get("Authorization"))
        if scheme.lower() != "basic":
            self._refuse()
            return None
        try:
            username, colon, password = b64decode(encoded).decode("ascii").partition(":")
        except ValueError as error:  # base64's and the codec's errors are ValueErrors
            raise self.make_not_authenticated_error() from error
        if not colon:
            raise self.make_not_authenticated_error()
        return HTTPBasicCredentials(username=username, password=password)


class HTTPBearer(HTTPBase):
    """A token that is worth something to whoever bears it."""

    def __init__(
        self,
        *,
        bearerFormat: str | None = None,  # noqa: N803 - OpenAPI's name
        scheme_name: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        model = HTTPBearerModel(bearerFormat=bearerFormat, description=description)
        self._describe(model, scheme_name, auto_error=auto_error)

    def _accepts(self, scheme: str) -> bool:
        return scheme.lower() == "bearer"


class HTTPDigest(HTTPBase):
    """A digest, taken as it is sent: a subclass checks it against its nonces."""

    def __init__(
        self, *, scheme_name: str | None = None, description: str | None = None, auto_error: bool = True
    ) -> None:
        super().__init__(scheme="digest", scheme_name=scheme_name, description=description, auto_error=auto_error)

    def _accepts(self, scheme: str) -> bool:
        return scheme.lower() == "digest"
