"""The files of a frontend: static ones, and the page that answers for paths which are the page's own business."""

from __future__ import annotations

import os
import stat
import warnings
from typing import TYPE_CHECKING, Literal

from ..concurrency import run_in_threadpool
from ..exceptions import BaseHTTPException
from ..staticfiles import StaticFiles
from .scopes import FRONTEND_PATH_KEY, found_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..responses import Response
    from ..types import Scope
    from .frontend import Fallback

_HTML = frozenset(("text/html", "application/xhtml+xml"))


def resolve_check_dir(*, directory: str | os.PathLike[str], check_dir: bool | Literal["auto"]) -> bool:
    """Say whether a directory that is not there is an error: by default, unless the program is being developed."""
    if check_dir != "auto":
        return check_dir
    if os.environ.get("FASTAPI_ENV") != "development":
        return True
    if not os.path.isdir(directory):  # noqa: PTH112 - a path of any kind
        where = _resolved(directory)
        warnings.warn(
            f"Frontend directory '{directory}' does not exist. Resolved absolute path: '{where}'", stacklevel=3
        )
    return False


def _resolved(path: str | os.PathLike[str]) -> str:
    return os.path.realpath(os.fspath(path))


class FrontendFiles(StaticFiles):
    """Static files with a fallback."""

    def __init__(self, *, directory: str | os.PathLike[str], fallback: Fallback, check_dir: bool) -> None:
        self.fallback = fallback
        if check_dir and not os.path.isdir(directory):  # noqa: PTH112 - a path of any kind
            where = _resolved(directory)
            raise RuntimeError(f"Frontend directory '{directory}' does not exist. Resolved absolute path: '{where}'")
        super().__init__(directory=directory, html=True, check_dir=check_dir, follow_symlink=False)
        if check_dir and fallback in ("index.html", "404.html"):
            self._existing(fallback, *self.lookup_path(fallback))

    def _existing(self, fallback: str, path: str, found: os.stat_result | None) -> tuple[str, os.stat_result]:
        if found is None or not stat.S_ISREG(found.st_mode):
            where = _resolved(self.directory or "")
            raise RuntimeError(
                f"Frontend fallback file '{fallback}' does not exist in directory '{self.directory}'. "
                f"Resolved absolute directory: '{where}'"
            )
        return path, found

    def get_path(self, scope: Scope) -> str:
        """Give the path below the frontend's own, as the file system has it."""
        below = found_in(scope, FRONTEND_PATH_KEY) or ""
        return os.path.normpath(os.path.join(*below.split("/")))  # noqa: PTH118 - nothing is resolved yet

    async def get_response_for_scope(self, scope: Scope) -> Response:
        """Answer a request that matched the frontend."""
        if not self.config_checked:
            await self.check_config()
            self.config_checked = True
        return await self.get_response(self.get_path(scope), scope)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer by the file, by the index of a directory, or by the fallback."""
        found = await self._static(path)
        if scope["method"] not in ("GET", "HEAD"):
            raise BaseHTTPException(status_code=404 if found is None else 405)
        if found is None:
            return await self._fall_back(scope)
        full_path, file, is_index = found
        if is_index and not scope["path"].endswith("/"):
            from ..datastructures import URL  # noqa: PLC0415 - few requests need it
            from ..responses import RedirectResponse  # noqa: PLC0415

            url = URL(scope=scope)
            return RedirectResponse(url=url.replace(path=f"{url.path}/"))
        return self.file_response(full_path, file, scope)

    async def _fall_back(self, scope: Scope) -> Response:
        for name, status_code in (("404.html", 404), ("index.html", 200)):
            # A script or an image that is missing is missing; a page is the application's own business.
            fits = name == "404.html" or _wants_page(scope)
            is_meant = self.fallback == name or (self.fallback == "auto" and await self._is_file(name))
            if is_meant and fits:
                path, file = self._existing(name, *await run_in_threadpool(self.lookup_path, name))
                return self.file_response(path, file, scope, status_code=status_code)
        raise BaseHTTPException(status_code=404)

    async def _is_file(self, name: str) -> bool:
        _, found = await run_in_threadpool(self.lookup_path, name)
        return found is not None and stat.S_ISREG(found.st_mode)

    async def _static(self, path: str) -> tuple[str, os.stat_result, bool] | None:
        """Give the file, its facts and whether it is the index of the directory that was asked for."""
        full_path, found = await self._look_up(path)
        if found is not None and stat.S_ISREG(found.st_mode):
            return full_path, found, False
        if found is not None and stat.S_ISDIR(found.st_mode):
            full_path, found = await self._look_up(os.path.join(path, "index.html"))  # noqa: PTH118
            if found is not None and stat.S_ISREG(found.st_mode):
                return full_path, found, True
        return None


def _wants_page(scope: Scope) -> bool:
    """Whether the client takes HTML, as a browser does that goes to a page."""
    from ..datastructures import Headers  # noqa: PLC0415 - few requests need it

    accept = Headers(scope=scope).get("accept", "")
    return any(kind in _HTML and quality != 0 for kind, quality in _accepted(accept))


def _accepted(accept: str) -> Iterator[tuple[str, float]]:
    for item in accept.split(","):
        kind, *options = (part.strip() for part in item.split(";"))
        quality = 1.0
        for option in options:
            name, _, value = option.partition("=")
            if name.strip().lower() == "q":
                try:
                    quality = float(value.strip().strip('"'))
                except ValueError:
                    quality = 1.0
        yield kind.lower(), quality
