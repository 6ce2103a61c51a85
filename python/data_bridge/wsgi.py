"""WSGI apps (PEP 3333): which apps are such, and what of them is Python: the input of long bodies, files."""

from __future__ import annotations

import inspect
import io
import os
import stat
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .settings import Settings

#: What a file is read by where the server cannot send it itself.
_BLOCK = 64 * 1024


def is_wsgi(app: object, settings: Settings) -> bool:
    """Say whether ``app`` is to be called as WSGI has it. Raises ``TypeError`` where it has to be, and cannot."""
    if settings.interface == "wsgi" and not takes(app, 2):
        raise TypeError(f"{app!r} is no WSGI application, which is called as app(environ, start_response)")
    return settings.interface == "wsgi" or (settings.interface == "auto" and not takes(app, 3) and takes(app, 2))


def takes(app: Any, count: int) -> bool:
    """Say whether ``app`` can be called with ``count`` arguments, as far as its signature tells."""
    try:
        inspect.signature(app).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # something native that does not tell
        return True
    return True


class Wsgi:
    """A WSGI app as the native server wants it described."""

    def __init__(self, app: Any, settings: Settings) -> None:
        self.app = app
        self.root_path = settings.root_path
        self.threads = settings.threads
        self.file_wrapper = FileWrapper
        #: What every environ has.
        self.constants = {
            "SERVER_SOFTWARE": "data_bridge",
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": settings.workers > 1,
            "wsgi.run_once": False,
            "wsgi.file_wrapper": FileWrapper,
            # Reading ends with the body, however that is framed.
            "wsgi.input_terminated": True,
        }

    @staticmethod
    def stream(next_part: Callable[[], bytes]) -> io.BufferedReader:
        """Give `wsgi.input` of a body whose next part ``next_part`` waits for; `b""` is its end."""
        return io.BufferedReader(_Input(next_part), _BLOCK)


class _Input(io.RawIOBase):
    """The rest of a request body, chunk by chunk."""

    def __init__(self, next_part: Callable[[], bytes]) -> None:
        self._next_part = next_part
        self._chunk = memoryview(b"")
        self._more = True

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._more and not self._chunk:
            self._chunk = memoryview(self._next_part())
            self._more = bool(self._chunk)
        count = min(len(buffer), len(self._chunk))
        buffer[:count] = self._chunk[:count]
        self._chunk = self._chunk[count:]
        return count


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class FileWrapper:
    """`wsgi.file_wrapper`: a file as an iterable, which the server sends itself where it can."""

    def __init__(self, filelike: _Readable, blksize: int = _BLOCK) -> None:
        self.filelike = filelike
        self.blksize = blksize
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self) -> Iterator[bytes]:
        """Give the file in blocks."""
        while block := self.filelike.read(self.blksize):
            yield block

    def rest(self) -> tuple[int, int, int] | None:
        """Give descriptor, position and length of what is left, where it is a regular file."""
        try:
            descriptor = self.filelike.fileno()  # type: ignore[attr-defined]
            found = os.fstat(descriptor)
            position = self.filelike.tell()  # type: ignore[attr-defined]
        except (AttributeError, OSError):
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        return descriptor, position, max(found.st_size - position, 0)
