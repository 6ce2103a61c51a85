"""The files of a directory as an ASGI application: which file, whether the client has it already. Sends none itself."""

from __future__ import annotations

import errno
import os
import stat
from importlib.util import find_spec
from mimetypes import guess_type
from typing import TYPE_CHECKING, Any

from .concurrency import run_in_threadpool
from .datastructures.headers import Headers
from .exceptions import BaseHTTPException
from .responses.base import RedirectResponse, Response
from .responses.file import FileResponse
from .routing.paths import get_route_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .types import Receive, Scope, Send

    PathLike = str | os.PathLike[str]

__all__ = ["NotModifiedResponse", "StaticFiles"]

#: The fields of a response that RFC 9110 (15.4.5) wants in a 304 too.
_OF_NOT_MODIFIED = ("cache-control", "content-location", "date", "etag", "expires", "vary")

#: Endings of files that were compressed beforehand, by content coding, the densest first.
_CODINGS = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}


class NotModifiedResponse(Response):
    """Tells a client that what it has is current."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        kept = {name: value for name, value in headers.items() if name in _OF_NOT_MODIFIED}
        super().__init__(status_code=304, headers=kept)


class StaticFiles:
    """The files of ``directory`` and of ``packages``: names, whose folder ``statics`` is meant, or (name, folder).

    With ``html`` a directory answers by its ``index.html``, and what is missing by ``404.html`` if there is one. With
    ``precompressed`` a client that takes it gets ``NAME.br``, ``NAME.zst`` or ``NAME.gz`` in place of ``NAME``, unless
    that is older. ``follow_symlink`` lets links lead out of the directory.
    """

    def __init__(
        self,
        *,
        directory: PathLike | None = None,
        packages: list[str | tuple[str, str]] | None = None,
        html: bool = False,
        check_dir: bool = True,
        follow_symlink: bool = False,
        precompressed: bool = False,
    ) -> None:
        self.directory = directory
        self.packages = packages
        self.all_directories = self.get_directories(directory, packages)
        self.html = html
        self.config_checked = False
        self.follow_symlink = follow_symlink
        self.precompressed = precompressed
        if check_dir and directory is not None and not os.path.isdir(directory):  # noqa: PTH112 - a path of any kind
            raise RuntimeError(f"Directory '{directory}' does not exist")

    def get_directories(
        self, directory: PathLike | None = None, packages: list[str | tuple[str, str]] | None = None
    ) -> list[PathLike]:
        """Give all directories that files are looked for in, in their order."""
        own = [] if directory is None else [directory]
        pairs = [(package, "statics") if isinstance(package, str) else package for package in packages or ()]
        return [*own, *(_folder_of(*pair) for pair in pairs)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an ASGI connection; a WebSocket is refused."""
        if scope["type"] == "websocket":
            from .websockets import WebSocketClose  # noqa: PLC0415 - nobody opens one here on purpose

            await WebSocketClose()(scope, receive, send)
            return
        if not self.config_checked:
            await self.check_config()
            self.config_checked = True
        response = await self.get_response(self.get_path(scope), scope)
        await response(scope, receive, send)

    def get_path(self, scope: Scope) -> str:
        """Give the path that is asked for, below the directory and without dots."""
        return os.path.normpath(os.path.join(*get_route_path(scope).split("/")))  # noqa: PTH118 - still to be checked

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer for a path. Raises an HTTP exception where there is nothing to send."""
        if scope["method"] not in ("GET", "HEAD"):
            raise BaseHTTPException(status_code=405, headers={"Allow": "GET, HEAD"})
        full_path, found = await self._look_up(path)
        if _is_file(found):
            return await self._respond(full_path, found, scope)
        if not self.html:
            raise BaseHTTPException(status_code=404)
        if found is not None and stat.S_ISDIR(found.st_mode):
            index, file = await self._look_up(os.path.join(path, "index.html"))  # noqa: PTH118 - as above
            if _is_file(file):
                return await self._respond(index, file, scope) if scope["path"].endswith("/") else _slashed(scope)
        page, file = await self._look_up("404.html")
        if _is_file(file):
            return FileResponse(page, stat_result=file, status_code=404)
        raise BaseHTTPException(status_code=404)

    async def _look_up(self, path: str) -> tuple[str, os.stat_result | None]:
        try:
            return await run_in_threadpool(self.lookup_path, path)
        except PermissionError:
            raise BaseHTTPException(status_code=401) from None
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            raise BaseHTTPException(status_code=404) from None
        except ValueError:  # a path with a null byte
            raise BaseHTTPException(status_code=404) from None

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        """Find a path in the directories. Nothing outside of them is found, by whatever dots and links."""
        if path.startswith(("/", "\\")):
            return "", None
        real = os.path.abspath if self.follow_symlink else os.path.realpath
        for directory in [str(real(directory)) for directory in self.all_directories]:
            full_path = str(real(os.path.join(directory, path)))  # noqa: PTH118 - not to be resolved before it is checked
            if os.path.commonpath([full_path, directory]) != directory:
                continue
            try:
                return full_path, os.stat(full_path)  # noqa: PTH116 - a text, to be given back
            except (FileNotFoundError, NotADirectoryError):
                continue
        return "", None

    async def _respond(self, full_path: str, found: Any, scope: Scope) -> Response:
        if not self.precompressed:
            return self.file_response(full_path, found, scope)
        accepted = ", ".join(Headers(scope=scope).getlist("accept-encoding"))
        encoded = await run_in_threadpool(_encoded, full_path, found, accepted) if accepted else None
        if encoded is None:
            response = self.file_response(full_path, found, scope)
        else:
            response = self._unless_known(encoded, scope)
        response.headers.add_vary_header("Accept-Encoding")
        return response

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Answer by a file, or by saying that the client has it."""
        return self._unless_known(FileResponse(full_path, status_code=status_code, stat_result=stat_result), scope)

    def _unless_known(self, response: Response, scope: Scope) -> Response:
        known = self.is_not_modified(response.headers, Headers(scope=scope))
        return NotModifiedResponse(response.headers) if known else response

    async def check_config(self) -> None:
        """Raise ``RuntimeError`` if the directory is none: nobody wants a 404 for that."""
        if self.directory is None:
            return
        try:
            found = await run_in_threadpool(os.stat, self.directory)
        except FileNotFoundError:
            raise RuntimeError(f"StaticFiles directory '{self.directory}' does not exist.") from None
        if not (stat.S_ISDIR(found.st_mode) or stat.S_ISLNK(found.st_mode)):
            raise RuntimeError(f"StaticFiles path '{self.directory}' is not a directory.")

    def is_not_modified(self, response_headers: Headers, request_headers: Headers) -> bool:
        """Say whether what the client has is current (RFC 9110, 13.2.2): a tag that it names, else a time."""
        tags = request_headers.get("if-none-match")
        if tags:
            names = [tag.strip().removeprefix("W/") for tag in tags.split(",")]
            return tags.strip() == "*" or response_headers["etag"] in names
        from email.utils import parsedate  # noqa: PLC0415 - for the clients that know a file only

        seen = parsedate(request_headers.get("if-modified-since", ""))
        changed = parsedate(response_headers.get("last-modified", ""))
        return seen is not None and changed is not None and seen >= changed


def _folder_of(package: str, folder: str) -> str:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise AssertionError(f"Package {package!r} could not be found.")
    path = os.path.normpath(os.path.join(spec.origin, "..", folder))  # noqa: PTH118 - of texts
    if not os.path.isdir(path):  # noqa: PTH112
        raise AssertionError(f"Directory '{folder!r}' in package {package!r} could not be found.")
    return path


def _is_file(found: os.stat_result | None) -> bool:
    return found is not None and stat.S_ISREG(found.st_mode)


def _slashed(scope: Scope) -> Response:
    """Lead to the directory's own URL, which relative links in its index are below."""
    from .datastructures.url import URL  # noqa: PLC0415 - few requests need it

    url = URL(scope=scope)
    return RedirectResponse(url.replace(path=url.path + "/"))


def _encoded(path: str, original: os.stat_result, accepted: str) -> Response | None:
    """Give the compressed form that the client likes best, of those that are not older than the file."""
    from .middleware.compression import choose  # noqa: PLC0415 - where files were compressed beforehand

    siblings = {coding: found for coding, ending in _CODINGS.items() if (found := _stat_of(path + ending))}
    current = [coding for coding, found in siblings.items() if found.st_mtime >= original.st_mtime]
    coding = choose(accepted, current)
    if coding is None:
        return None
    media_type = guess_type(path)[0] or "application/octet-stream"
    headers = {"content-encoding": coding}
    return FileResponse(path + _CODINGS[coding], 200, headers, media_type, stat_result=siblings[coding])


def _stat_of(path: str) -> os.stat_result | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - a text
    except OSError:
        return None
    return found if _is_file(found) else None
