"""HTML by Jinja2: what its templates know of a request. Imports Jinja2, which is optional; knows no template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .responses.base import HTMLResponse

try:
    import jinja2
except ImportError as error:
    raise ImportError("jinja2 must be installed to use Jinja2Templates") from error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from os import PathLike

    from .datastructures import URL
    from .requests import Request
    from .responses.base import Background
    from .types import Receive, Scope, Send

__all__ = ["Jinja2Templates"]


class _TemplateResponse(HTMLResponse):
    """A template, rendered; ``template`` and ``context`` are kept for tests."""

    def __init__(
        self,
        template: Any,
        context: dict[str, Any],
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: Background | None = None,
    ) -> None:
        self.template = template
        self.context = context
        super().__init__(template.render(context), status_code, headers, media_type, background)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an ASGI connection, and tell a test client how."""
        if "http.response.debug" in self.context.get("request", {}).get("extensions", {}):
            info = {"template": self.template, "context": self.context}
            await send({"type": "http.response.debug", "info": info})
        await super().__call__(scope, receive, send)


class Jinja2Templates:
    """Templates of a ``directory`` (or several), whose HTML is escaped, or those of an ``env`` of one's own.

    A template has ``request``, ``url_for(name, **parameters)`` and what ``context_processors`` make of the request.
    """

    def __init__(
        self,
        directory: str | PathLike[str] | Sequence[str | PathLike[str]] | None = None,
        *,
        context_processors: list[Callable[[Request], dict[str, Any]]] | None = None,
        env: jinja2.Environment | None = None,
    ) -> None:
        if bool(directory) == bool(env):
            raise AssertionError("either 'directory' or 'env' arguments must be passed")
        self.context_processors = context_processors or []
        if env is None:
            loader = jinja2.FileSystemLoader(directory or ())
            env = jinja2.Environment(loader=loader, autoescape=jinja2.select_autoescape())
        self.env = env
        env.globals.setdefault("url_for", _url_for)

    def get_template(self, name: str) -> jinja2.Template:
        """Load a template. Raises ``jinja2.TemplateNotFound``."""
        return self.env.get_template(name)

    def TemplateResponse(  # noqa: N802 - the name that users know
        self,
        request: Request,
        name: str,
        context: dict[str, Any] | None = None,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
        background: Background | None = None,
    ) -> _TemplateResponse:
        """Render the template of this name with ``context``."""
        context = context or {}
        context.setdefault("request", request)
        for processor in self.context_processors:
            context.update(processor(request))
        return _TemplateResponse(self.get_template(name), context, status_code, headers, media_type, background)


@jinja2.pass_context
def _url_for(context: Any, name: str, /, **path_params: Any) -> URL:
    request: Request = context["request"]
    return request.url_for(name, **path_params)
