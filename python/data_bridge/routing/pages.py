"""The routes that an app adds by itself: its description, and the pages that show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..app import App
    from ..requests import Request
    from ..responses import HTMLResponse, JSONResponse


def pages_of(app: App) -> Iterator[tuple[str, Callable[[Request], Any]]]:
    """Give each page's path and endpoint."""
    if not app.openapi_url:
        return
    pages = _Pages(app)
    yield app.openapi_url, _named("openapi", pages.description)
    if app.docs_url:
        yield app.docs_url, _named("swagger_ui_html", pages.swagger_ui)
        if app.swagger_ui_oauth2_redirect_url:
            yield app.swagger_ui_oauth2_redirect_url, _named("swagger_ui_redirect", pages.oauth2_redirect)
    if app.redoc_url:
        yield app.redoc_url, _named("redoc_html", pages.redoc)


def _named(name: str, endpoint: Callable[[Request], Any]) -> Callable[[Request], Any]:
    """Give the endpoint the name by which the route is known."""

    async def page(request: Request) -> Any:
        return await endpoint(request)

    page.__name__ = name
    return page


def _root(request: Request) -> str:
    root: str = request.scope.get("root_path", "")
    return root.rstrip("/")


class _Pages:
    """The pages of one app."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def description(self, request: Request) -> JSONResponse:
        """Answer with the description; the place where the app is mounted stands first among the servers."""
        from ..responses import JSONResponse  # noqa: PLC0415 - the module is there by the first request

        root = _root(request)
        schema = self._app.openapi()
        servers = schema.get("servers", [])
        if root and self._app.root_path_in_servers and all(server.get("url") != root for server in servers):
            schema = {**schema, "servers": [{"url": root}, *servers]}
        return JSONResponse(schema)

    async def swagger_ui(self, request: Request) -> HTMLResponse:
        """Answer with Swagger UI."""
        from ..openapi.docs import get_swagger_ui_html  # noqa: PLC0415 - few requests need it

        app, root = self._app, _root(request)
        redirect = app.swagger_ui_oauth2_redirect_url
        return get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=f"{app.title} - Swagger UI",
            oauth2_redirect_url=f"{root}{redirect}" if redirect else redirect,
            init_oauth=app.swagger_ui_init_oauth,
            swagger_ui_parameters=app.swagger_ui_parameters,
        )

    async def oauth2_redirect(self, _request: Request) -> HTMLResponse:
        """Answer with the page that OAuth2 comes back to."""
        from ..openapi.docs import get_swagger_ui_oauth2_redirect_html  # noqa: PLC0415 - few requests need it

        return get_swagger_ui_oauth2_redirect_html()

    async def redoc(self, request: Request) -> HTMLResponse:
        """Answer with ReDoc."""
        from ..openapi.docs import get_redoc_html  # noqa: PLC0415 - few requests need it

        return get_redoc_html(
            openapi_url=f"{_root(request)}{self._app.openapi_url}", title=f"{self._app.title} - ReDoc"
        )
