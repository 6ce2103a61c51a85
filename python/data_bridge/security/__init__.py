"""Security schemes: dependencies that read a credential and stand in the OpenAPI document. Its worth is for the app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..later import importer

if TYPE_CHECKING:
    from data_bridge.security.api_key import APIKeyCookie as APIKeyCookie
    from data_bridge.security.api_key import APIKeyHeader as APIKeyHeader
    from data_bridge.security.api_key import APIKeyQuery as APIKeyQuery
    from data_bridge.security.http import HTTPAuthorizationCredentials as HTTPAuthorizationCredentials
    from data_bridge.security.http import HTTPBasic as HTTPBasic
    from data_bridge.security.http import HTTPBasicCredentials as HTTPBasicCredentials
    from data_bridge.security.http import HTTPBearer as HTTPBearer
    from data_bridge.security.http import HTTPDigest as HTTPDigest
    from data_bridge.security.oauth2 import OAuth2 as OAuth2
    from data_bridge.security.oauth2 import OAuth2AuthorizationCodeBearer as OAuth2AuthorizationCodeBearer
    from data_bridge.security.oauth2 import OAuth2PasswordBearer as OAuth2PasswordBearer
    from data_bridge.security.oauth2 import OAuth2PasswordRequestForm as OAuth2PasswordRequestForm
    from data_bridge.security.oauth2 import OAuth2PasswordRequestFormStrict as OAuth2PasswordRequestFormStrict
    from data_bridge.security.oauth2 import SecurityScopes as SecurityScopes
    from data_bridge.security.open_id_connect_url import OpenIdConnect as OpenIdConnect

__all__ = [
    "APIKeyCookie",
    "APIKeyHeader",
    "APIKeyQuery",
    "HTTPAuthorizationCredentials",
    "HTTPBasic",
    "HTTPBasicCredentials",
    "HTTPBearer",
    "HTTPDigest",
    "OAuth2",
    "OAuth2AuthorizationCodeBearer",
    "OAuth2PasswordBearer",
    "OAuth2PasswordRequestForm",
    "OAuth2PasswordRequestFormStrict",
    "OpenIdConnect",
    "SecurityScopes",
]

#: Where each name is; its module is imported when it is asked for.
_LATER = {
    "APIKeyCookie": ".api_key",
    "APIKeyHeader": ".api_key",
    "APIKeyQuery": ".api_key",
    "HTTPAuthorizationCredentials": ".http",
    "HTTPBasic": ".http",
    "HTTPBasicCredentials": ".http",
    "HTTPBearer": ".http",
    "HTTPDigest": ".http",
    "OAuth2": ".oauth2",
    "OAuth2AuthorizationCodeBearer": ".oauth2",
    "OAuth2PasswordBearer": ".oauth2",
    "OAuth2PasswordRequestForm": ".oauth2",
    "OAuth2PasswordRequestFormStrict": ".oauth2",
    "OpenIdConnect": ".open_id_connect_url",
    "SecurityScopes": ".oauth2",
}

__getattr__ = importer(__name__, _LATER)
