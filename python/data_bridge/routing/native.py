"""Routes with the same answer each time: our own server gives it without the interpreter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..exceptions import require
from ..plan.types import Constant
from .base import BaseRoute, Match, NoMatchFound, path_params_of
from .paths import compile_path
from .route import method_not_allowed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..datastructures import URLPath
    from ..types import Receive, Scope, Send


_CONTROL = re.compile("[\\0\\r\\n]")


class NativeRoute(BaseRoute):
    """An answer that is known beforehand."""

    include_in_schema = False

    def __init__(
        self,
        path: str,
        content: str | bytes,
        methods: Iterable[str],
        status_code: int,
        headers: Mapping[str, str],
        content_type: str | None,
    ) -> None:
        is_text = isinstance(content, str)
        content_type = content_type or ("text/plain; charset=utf-8" if is_text else "application/octet-stream")
        require(200 <= status_code < 600, f"{status_code} is not a final status")  # noqa: PLR2004
        require(all(headers), "a header field has no name")
        for name, text in headers.items():
            require(not _CONTROL.search(name + text), f"the header field {name!r} has a control character")
        self.path = self.name = path
        self.methods = {method.upper() for method in methods}
        self.status_code = status_code
        self.content = content.encode() if isinstance(content, str) else content
        self.raw_headers = [(b"content-type", content_type.encode("latin-1"))]
        self.raw_headers += [(name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in headers.items()]
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match type, path and method."""
        params = path_params_of(scope, self.path_regex, self.param_convertors) if scope["type"] == "http" else None
        if params is None:
            return Match.NONE, {}
        return (Match.FULL if scope["method"] in self.methods else Match.PARTIAL), {"path_params": params}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer under a server that does not know native routes."""
        if scope["method"] not in self.methods:
            await method_not_allowed(self.methods, scope, receive, send)
            return
        headers = [*self.raw_headers, (b"content-length", str(len(self.content)).encode())]
        start: dict[str, Any] = {"type": "http.response.start", "status": self.status_code, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else self.content})

    def constant(self, path: str) -> Constant:
        """Give what our own server answers by, below the prefixes of ``path``."""
        return Constant(
            path=path,
            methods=tuple(sorted(self.methods)),
            status_code=self.status_code,
            headers=tuple(self.raw_headers),
            content=self.content,
        )

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Raise :class:`NoMatchFound`: a native route has no name."""
        raise NoMatchFound(name, path_params)
