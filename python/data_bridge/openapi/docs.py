"""The pages that show an OpenAPI document: Swagger UI and ReDoc. Takes addresses, makes HTML, knows no app.

By default the pages load their scripts from where FastAPI's pages load them; an app's own pages (`pages.py`) load them
from the app, which has them as files.
"""

from __future__ import annotations

import html
import json
from typing import Any

from data_bridge.encoders import jsonable_encoder
from data_bridge.openapi.assets import read
from data_bridge.responses import HTMLResponse

#: Swagger UI's settings that hold unless ``swagger_ui_parameters`` says otherwise.
swagger_ui_default_parameters: dict[str, Any] = {
    "dom_id": "#swagger-ui",
    "layout": "BaseLayout",
    "deepLinking": True,
    "showExtensions": True,
    "showCommonExtensions": True,
}

_ICON = "https://fastapi.tiangolo.com/img/favicon.png"
_NETWORK = "https://cdn.jsdelivr.net/npm"
_FONTS = (
    '<link href="https://fonts.googleapis.com/css?family=Montserrat:300,400,700|Roboto:300,400,700" rel="stylesheet">'
)

_SWAGGER_UI = """<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="shortcut icon" href="{icon}">
<link rel="stylesheet" type="text/css" href="{style}">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{script}"></script>
<script>
const ui = SwaggerUIBundle({{
{settings}
}})
{oauth}</script>
</body>
</html>
"""

_REDOC = """<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
{fonts}<link rel="shortcut icon" href="{icon}">
<style>body {{ margin: 0; padding: 0; }}</style>
</head>
<body>
<noscript>ReDoc needs JavaScript.</noscript>
<redoc spec-url="{document}"></redoc>
<script src="{script}"></script>
</body>
</html>
"""

_OAUTH2_REDIRECT = """<!DOCTYPE html>
<html lang="en-US">
<head><title>Swagger UI: OAuth2 Redirect</title></head>
<body>
<script>{script}</script>
</body>
</html>
"""


def get_swagger_ui_html(
    *,
    openapi_url: str,
    title: str,
    swagger_js_url: str = f"{_NETWORK}/swagger-ui-dist@5/swagger-ui-bundle.js",
    swagger_css_url: str = f"{_NETWORK}/swagger-ui-dist@5/swagger-ui.css",
    swagger_favicon_url: str = _ICON,
    oauth2_redirect_url: str | None = None,
    init_oauth: dict[str, Any] | None = None,
    swagger_ui_parameters: dict[str, Any] | None = None,
) -> HTMLResponse:
    """Give the page that shows the document at ``openapi_url`` in Swagger UI.

    ``swagger_ui_parameters`` are Swagger UI's own settings, over :data:`swagger_ui_default_parameters`;
    ``init_oauth`` is what its ``initOAuth`` takes.
    """
    parameters = swagger_ui_default_parameters | (swagger_ui_parameters or {})
    settings = [f"url: {_quoted(openapi_url)}"]
    settings += [f"{_script(name)}: {_script(jsonable_encoder(value))}" for name, value in parameters.items()]
    if oauth2_redirect_url:
        settings.append(f"oauth2RedirectUrl: window.location.origin + {_quoted(oauth2_redirect_url)}")
    settings.append("presets: [SwaggerUIBundle.presets.apis, SwaggerUIBundle.SwaggerUIStandalonePreset]")
    page = _SWAGGER_UI.format(
        title=_text(title),
        icon=_text(swagger_favicon_url),
        style=_text(swagger_css_url),
        script=_text(swagger_js_url),
        settings=",\n".join(settings),
        oauth=f"ui.initOAuth({_script(jsonable_encoder(init_oauth))})\n" if init_oauth else "",
    )
    return HTMLResponse(page)


def get_redoc_html(
    *,
    openapi_url: str,
    title: str,
    redoc_js_url: str = f"{_NETWORK}/redoc@2/bundles/redoc.standalone.js",
    redoc_favicon_url: str = _ICON,
    with_google_fonts: bool = True,
) -> HTMLResponse:
    """Give the page that shows the document at ``openapi_url`` in ReDoc."""
    page = _REDOC.format(
        title=_text(title),
        fonts=f"{_FONTS}\n" if with_google_fonts else "",
        icon=_text(redoc_favicon_url),
        document=_text(openapi_url),
        script=_text(redoc_js_url),
    )
    return HTMLResponse(page)


def get_swagger_ui_oauth2_redirect_html() -> HTMLResponse:
    """Give the page to which an authorization server sends the browser back: it hands Swagger UI what came along."""
    return HTMLResponse(_OAUTH2_REDIRECT.format(script=read("swagger-ui-dist", "oauth2-redirect.js").decode()))


def _text(value: str) -> str:
    return html.escape(value, quote=True)


def _script(value: Any) -> str:
    """Give a value as JavaScript that may stand in HTML: nothing in it ends the script or opens a comment."""
    return json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _quoted(value: str) -> str:
    """Give a text in single quotes, as scripts that look for the document's address expect it."""
    return "'" + _script(value)[1:-1].replace('\\"', '"').replace("'", "\\u0027") + "'"
