"""Security schemes of OpenAPI as Pydantic models. Imported by `data_bridge.security`, so: as light as may be."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from pydantic import Field

from data_bridge.openapi.base import BaseModelWithConfig


class SecuritySchemeType(Enum):
    """What kind of scheme."""

    apiKey = "apiKey"
    http = "http"
    oauth2 = "oauth2"
    openIdConnect = "openIdConnect"


class APIKeyIn(Enum):
    """Where a client puts its key."""

    query = "query"
    header = "header"
    cookie = "cookie"


class SecurityBase(BaseModelWithConfig):
    """What every scheme has."""

    type_: SecuritySchemeType = Field(alias="type")
    description: str | None = None


class APIKey(SecurityBase):
    """A key that the client sends by an agreed name."""

    type_: SecuritySchemeType = Field(default=SecuritySchemeType.apiKey, alias="type")
    in_: APIKeyIn = Field(alias="in")
    name: str


class HTTPBase(SecurityBase):
    """A scheme of the `Authorization` header (RFC 9110, 11.6.2)."""

    type_: SecuritySchemeType = Field(default=SecuritySchemeType.http, alias="type")
    scheme: str


class HTTPBearer(HTTPBase):
    """Whoever bears the token may pass (RFC 6750)."""

    scheme: Literal["bearer"] = "bearer"
    bearerFormat: str | None = None


class OAuthFlow(BaseModelWithConfig):
    """What the four flows of OAuth 2 share."""

    refreshUrl: str | None = None
    scopes: dict[str, str] = {}  # noqa: RUF012 - Pydantic copies it


class OAuthFlowImplicit(OAuthFlow):
    """The flow for clients that get their token from the authorization page."""

    authorizationUrl: str


class OAuthFlowPassword(OAuthFlow):
    """The flow for clients that know the user's password."""

    tokenUrl: str


class OAuthFlowClientCredentials(OAuthFlow):
    """The flow for clients that act for themselves."""

    tokenUrl: str


class OAuthFlowAuthorizationCode(OAuthFlow):
    """The flow for clients that exchange a code for a token."""

    authorizationUrl: str
    tokenUrl: str


class OAuthFlows(BaseModelWithConfig):
    """The flows that a server offers."""

    implicit: OAuthFlowImplicit | None = None
    password: OAuthFlowPassword | None = None
    clientCredentials: OAuthFlowClientCredentials | None = None
    authorizationCode: OAuthFlowAuthorizationCode | None = None


class OAuth2(SecurityBase):
    """OAuth 2 (RFC 6749)."""

    type_: SecuritySchemeType = Field(default=SecuritySchemeType.oauth2, alias="type")
    flows: OAuthFlows


class OpenIdConnect(SecurityBase):
    """OpenID Connect, found by its discovery document."""

    type_: SecuritySchemeType = Field(default=SecuritySchemeType.openIdConnect, alias="type")
    openIdConnectUrl: str


SecurityScheme = APIKey | HTTPBase | OAuth2 | OpenIdConnect | HTTPBearer
