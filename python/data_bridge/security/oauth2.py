"""OAuth 2 (RFC 6749): bearer tokens, the form that asks for one, the scopes that a route needs."""

from __future__ import annotations

from typing import Annotated, Any

from data_bridge.openapi.schemes import OAuth2 as OAuth2Model
from data_bridge.openapi.schemes import OAuthFlows as OAuthFlowsModel
from data_bridge.params import Form
from data_bridge.requests import HTTPConnection  # noqa: TC001 - the dependency's signature is read at run time
from data_bridge.security.authorization import get_authorization_scheme_param
from data_bridge.security.base import SecurityBase

_Text = Annotated[str, Form()]
_Secret = Annotated[str, Form(json_schema_extra={"format": "password"})]


class OAuth2PasswordRequestForm:
    """The form of the password flow, as a dependency: ``Annotated[OAuth2PasswordRequestForm, Depends()]``.

    ``scope`` is one text of names with spaces between them, ``scopes`` the list. A missing ``grant_type`` is let pass;
    :class:`OAuth2PasswordRequestFormStrict` asks for it, as the RFC does (4.3.2).
    """

    def __init__(
        self,
        *,
        grant_type: Annotated[str | None, Form(pattern="^password$")] = None,
        username: _Text,
        password: _Secret,
        scope: _Text = "",
        client_id: Annotated[str | None, Form()] = None,
        client_secret: Annotated[str | None, Form(json_schema_extra={"format": "password"})] = None,
    ) -> None:
        self.grant_type = grant_type
        self.username = username
        self.password = password
        self.scopes = scope.split()
        self.client_id = client_id
        self.client_secret = client_secret


class OAuth2PasswordRequestFormStrict(OAuth2PasswordRequestForm):
    """The form of the password flow with its ``grant_type``."""

    def __init__(
        self,
        grant_type: Annotated[str, Form(pattern="^password$")],
        username: _Text,
        password: _Text,
        scope: _Text = "",
        client_id: Annotated[str | None, Form()] = None,
        client_secret: Annotated[str | None, Form()] = None,
    ) -> None:
        super().__init__(
            grant_type=grant_type,
            username=username,
            password=password,
            scope=scope,
            client_id=client_id,
            client_secret=client_secret,
        )


class OAuth2(SecurityBase):
    """Any flows of OAuth 2; the Authorization header is given as it is."""

    def __init__(
        self,
        *,
        flows: OAuthFlowsModel | dict[str, dict[str, Any]] | None = None,
        scheme_name: str | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        model = OAuth2Model(flows=flows or OAuthFlowsModel(), description=description)  # type: ignore[arg-type]
        self._describe(model, scheme_name, auto_error=auto_error)

    async def __call__(self, request: HTTPConnection) -> str | None:
        """Read the credential."""
        authorization = request.headers.get("Authorization")
        if not authorization:
            self._refuse()
            return None
        return authorization


class _OAuth2Bearer(OAuth2):
    """A flow whose token comes back as ``Authorization: Bearer …``; the dependency's result is the token."""

    async def __call__(self, request: HTTPConnection) -> str | None:
        """Read the credential."""
        scheme, token = get_authorization_scheme_param(request.headers.get("Authorization"))
        if scheme.lower() != "bearer":
            self._refuse()
            return None
        return token


class OAuth2PasswordBearer(_OAuth2Bearer):
    """A token that was got for a password at ``tokenUrl``."""

    def __init__(
        self,
        tokenUrl: str,  # noqa: N803 - OpenAPI's name
        scheme_name: str | None = None,
        scopes: dict[str, str] | None = None,
        description: str | None = None,
        auto_error: bool = True,
        refreshUrl: str | None = None,  # noqa: N803 - OpenAPI's name
    ) -> None:
        flow = {"tokenUrl": tokenUrl, "refreshUrl": refreshUrl, "scopes": scopes or {}}
        super().__init__(
            flows={"password": flow}, scheme_name=scheme_name, description=description, auto_error=auto_error
        )


class OAuth2AuthorizationCodeBearer(_OAuth2Bearer):
    """A token that was got for a code from ``authorizationUrl`` at ``tokenUrl``."""

    def __init__(
        self,
        authorizationUrl: str,  # noqa: N803 - OpenAPI's name
        tokenUrl: str,  # noqa: N803 - OpenAPI's name
        refreshUrl: str | None = None,  # noqa: N803 - OpenAPI's name
        scheme_name: str | None = None,
        scopes: dict[str, str] | None = None,
        description: str | None = None,
        auto_error: bool = True,
    ) -> None:
        addresses = {"authorizationUrl": authorizationUrl, "tokenUrl": tokenUrl, "refreshUrl": refreshUrl}
        flow = {**addresses, "scopes": scopes or {}}
        super().__init__(
            flows={"authorizationCode": flow}, scheme_name=scheme_name, description=description, auto_error=auto_error
        )


class SecurityScopes:
    """A parameter of this type gets the scopes that the route and all dependencies on the way to this one ask for."""

    def __init__(self, scopes: list[str] | None = None) -> None:
        self.scopes = scopes or []
        self.scope_str = " ".join(self.scopes)
