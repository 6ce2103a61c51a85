"""OpenID Connect: named in the document; the Authorization header is given as it is, a subclass checks it."""

from __future__ import annotations

from data_bridge.openapi.schemes import OpenIdConnect as OpenIdConnectModel
from data_bridge.requests import HTTPConnection  # noqa: TC001 - the dependency's signature is read at run time
from data_bridge.security.base import SecurityBase


class OpenIdConnect(SecurityBase):
    """Whatever an OpenID provider issued. ``openIdConnectUrl`` is the address of its discovery document."""

    def __init__(
        self,
        *,
        openIdConnectUrl: str,  # noqa: N803 - OpenAPI's name
        scheme_name: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        model = OpenIdConnectModel(openIdConnectUrl=openIdConnectUrl, description=description)
        self._describe(model, scheme_name, auto_error=auto_error)

    async def __call__(self, request: HTTPConnection) -> str | None:
        """Read the credential."""
        authorization = request.headers.get("Authorization")
        if not authorization:
            self._refuse()
            return None
        return authorization
