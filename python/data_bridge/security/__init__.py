"""Security schemes: dependencies that read a credential and stand in the OpenAPI document. Its worth is for the app."""

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
