"""Routes for an app's OpenAPI document and the pages that show it. What they need is imported when asked for."""

from __future__ import annotations

import mimetypes
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data_bridge.requests import Request
    from data_bridge.responses import Response

#: Files whose address holds their version never change.
_FOR_EVER = "public, max-age=31536000, immutable"


def add_pages(app: Any) -> None:
    """Add the routes that ``openapi_url``, ``docs_url``, ``redoc_url`` and OAuth 2's redirect ask for."""
    if not app.openapi_url:
        return
    pages = _Pages(app)
    _add(app, app.openapi_url, pages.openapi)
    if app.docs_url:
        _add(app, app.docs_url, pages.swagger_ui_html)
        _add(app, _assets(app.docs_url, "swagger-ui-dist"), pages.asset)
        if app.swagger_ui_oauth2_redirect_url:
            _add(app, app.swagger_ui_oauth2_redirect_url, pages.swagger_ui_redirect)
    if app.redoc_url:
        _add(app, app.redoc_url, pages.redoc_html)
        _add(app, _assets(app.redoc_url, "redoc"), pages.asset)


def _add(app: Any, path: str, endpoint: Any) -> None:
    app.add_route(path, endpoint, include_in_schema=False)


def _assets(page: str, package: str) -> str:
    return f"{page.rstrip('/')}/{package}@{{version}}/{{file}}"


class _Pages:
    """The endpoints. Addresses begin with the path under which a proxy or a parent app serves this one."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def openapi(self, request: Request) -> Response:
        from data_bridge.responses import JSONResponse  # noqa: PLC0415

        app, root = self._app, _root(request)
        document = app.openapi()
        servers = document.get("servers", [])
        if root and app.root_path_in_servers and root not in {server.get("url") for server in servers}:
            document = {**document, "servers": [{"url": root}, *servers]}
        return JSONResponse(document)

    async def swagger_ui_html(self, request: Request) -> Response:
        from data_bridge.openapi.docs import get_swagger_ui_html  # noqa: PLC0415

        app, root = self._app, _root(request)
        redirect = app.swagger_ui_oauth2_redirect_url
        files = _address(root, app.docs_url, "swagger-ui-dist")
        return get_swagger_ui_html(
            openapi_url=root + app.openapi_url,
            title=f"{app.title} - Swagger UI",
            swagger_js_url=f"{files}/swagger-ui-bundle.js",
            swagger_css_url=f"{files}/swagger-ui.css",
            swagger_favicon_url=f"{files}/favicon-32x32.png",
            oauth2_redirect_url=root + redirect if redirect else None,
            init_oauth=app.swagger_ui_init_oauth,
            swagger_ui_parameters=app.swagger_ui_parameters,
        )

    async def swagger_ui_redirect(self, request: Request) -> Response:
        from data_bridge.openapi.docs import get_swagger_ui_oauth2_redirect_html  # noqa: PLC0415

        return get_swagger_ui_oauth2_redirect_html()

    async def redoc_html(self, request: Request) -> Response:
        from data_bridge.openapi.docs import get_redoc_html  # noqa: PLC0415

        app, root = self._app, _root(request)
        return get_redoc_html(
            openapi_url=root + app.openapi_url,
            title=f"{app.title} - ReDoc",
            redoc_js_url=f"{_address(root, app.redoc_url, 'redoc')}/redoc.standalone.js",
            redoc_favicon_url="data:,",  # ReDoc has none; this keeps the browser from asking for /favicon.ico
            with_google_fonts=False,
        )

    async def asset(self, request: Request) -> Response:
        from data_bridge.exceptions import HTTPException  # noqa: PLC0415
        from data_bridge.openapi.assets import compressed, names, read  # noqa: PLC0415
        from data_bridge.responses import Response  # noqa: PLC0415

        package = request.url.path.rsplit("/", 2)[1].partition("@")[0]
        file, version = request.path_params["file"], request.path_params["version"]
        name = f"{package}@{version}/{file}"
        if name not in names():
            raise HTTPException(404)
        headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
        media_type = mimetypes.guess_type(file)[0] or "application/octet-stream"
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(compressed(name), headers={**headers, "Content-Encoding": "gzip"}, media_type=media_type)
        return Response(read(package, file), headers=headers, media_type=media_type)


def _root(request: Request) -> str:
    root: str = request.scope.get("root_path", "")
    return root.rstrip("/")


def _address(root: str, page: str, package: str) -> str:
    from data_bridge.openapi.assets import folder  # noqa: PLC0415

    return f"{root}{page.rstrip('/')}/{folder(package)}"
