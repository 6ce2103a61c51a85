"""The same names from our App's modules and from FastAPI, for tests that run on both. The test client is ours."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

from data_bridge.testclient import TestClient

#: Modules (without the package's name) and what is wanted of them.
_NAMES = {
    "": """APIRouter BackgroundTasks Body Cookie Depends FastAPI File Form HTTPException Header Path Query Request
        Response Security UploadFile WebSocket""",
    "responses": "EventSourceResponse HTMLResponse JSONResponse RedirectResponse StreamingResponse",
    "security": """APIKeyCookie APIKeyHeader APIKeyQuery HTTPAuthorizationCredentials HTTPBasic HTTPBasicCredentials
        HTTPBearer HTTPDigest OAuth2 OAuth2AuthorizationCodeBearer OAuth2PasswordBearer OAuth2PasswordRequestForm
        OAuth2PasswordRequestFormStrict OpenIdConnect SecurityScopes""",
}


def _names(package: str) -> SimpleNamespace:
    found = {"TestClient": TestClient}
    for module, wanted in _NAMES.items():
        source = import_module(f"{package}.{module}" if module else package)
        found |= {name: getattr(source, name) for name in wanted.split()}
    return SimpleNamespace(**found)


def ours() -> SimpleNamespace:
    """Give our own."""
    return _names("data_bridge.fastapi")


def theirs() -> SimpleNamespace:
    """Give FastAPI's."""
    return _names("fastapi")


BOTH = {"params": [ours, theirs], "ids": ["data_bridge", "fastapi"]}
