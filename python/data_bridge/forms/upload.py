"""A file of a form: in memory while it is small, then on disk. Knows no parser."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from data_bridge.concurrency import run_in_threadpool
from data_bridge.datastructures.headers import Headers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: What one step of `save` copies at most, in bytes.
_STEP = 1 << 30


class UploadFile:
    """A file that was uploaded, as a parameter of an endpoint or an item of a form.

    Its methods are coroutines, since the file may be on disk; ``file`` is the file itself, for functions that run in
    threads. It is deleted when it is closed, which happens after the response: :meth:`save` keeps its content.
    """

    file: BinaryIO
    #: The name that the client gave. Not to be trusted as a path.
    filename: str | None
    #: Its size in bytes.
    size: int | None
    #: The fields of its part of the form.
    headers: Headers

    def __init__(
        self, file: BinaryIO, *, size: int | None = None, filename: str | None = None, headers: Headers | None = None
    ) -> None:
        # FastAPI's order: an error's `input` shows the attributes.
        self.filename = filename
        self.file = file
        self.size = size
        self.headers = headers or Headers()
        # Of a SpooledTemporaryFile; 0 is no limit there.
        self._max_mem_size: int = getattr(file, "_max_size", 0)

    @property
    def content_type(self) -> str | None:
        """The media type that the client gave."""
        return self.headers.get("content-type")

    @property
    def _in_memory(self) -> bool:
        return not getattr(self.file, "_rolled", True)

    def _will_roll(self, size_to_add: int) -> bool:
        if not self._in_memory:
            return True
        return bool(self._max_mem_size) and self.file.tell() + size_to_add > self._max_mem_size

    async def read(self, size: int = -1) -> bytes:
        """Give the next ``size`` bytes, or all that are left."""
        content: bytes = await self._do(self.file.read, size)
        return content

    async def write(self, data: bytes) -> None:
        """Write at the file's position."""
        if self.size is not None:
            self.size += len(data)
        if self._will_roll(len(data)):
            await run_in_threadpool(self.file.write, data)
        else:
            self.file.write(data)

    async def seek(self, offset: int) -> None:
        """Go to a position, in bytes from the beginning."""
        await self._do(self.file.seek, offset)

    async def close(self) -> None:
        """Close the file; its content is gone then."""
        await self._do(self.file.close)

    async def save(self, path: str | os.PathLike[str]) -> None:
        """Write the whole content to a new file at ``path``, or over an old one. The position stays where it is.

        Raises ``OSError`` if that cannot be.
        """
        await run_in_threadpool(_copy, self.file, Path(path))

    async def _do(self, method: Callable[..., Any], *args: Any) -> Any:
        if self._in_memory:
            return method(*args)
        return await run_in_threadpool(method, *args)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(filename={self.filename!r}, size={self.size!r}, headers={self.headers!r})"

    @classmethod
    def _validate(cls, value: Any, _info: Any = None) -> Any:
        if isinstance(value, UploadFile) or _is_starlettes(value):
            return value
        raise ValueError(f"Expected UploadFile, received: {type(value)}")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Callable[[Any], Any]) -> Mapping[str, Any]:
        from pydantic_core import core_schema  # noqa: PLC0415 - whoever asks has imported it

        return core_schema.with_info_plain_validator_function(cls._validate)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Mapping[str, Any], handler: Callable[[Any], Any]) -> dict[str, Any]:
        return {"type": "string", "contentMediaType": "application/octet-stream"}


def _is_starlettes(value: Any) -> bool:
    return any(kind.__name__ == "UploadFile" and kind.__module__.startswith("starlette.") for kind in type(value).mro())


def _copy(file: BinaryIO, path: Path) -> None:
    with path.open("wb") as target:
        if getattr(file, "_rolled", False) and hasattr(os, "copy_file_range"):
            file.flush()
            _copy_in_kernel(file.fileno(), target.fileno())
            return
        position = file.tell()
        file.seek(0)
        try:
            shutil.copyfileobj(file, target)
        finally:
            file.seek(position)


def _copy_in_kernel(source: int, target: int) -> None:
    done = 0
    try:
        while copied := os.copy_file_range(source, target, _STEP, offset_src=done):
            done += copied
    except OSError:
        # Between two file systems, where the kernel is old.
        while copied := os.sendfile(target, source, done, _STEP):
            done += copied
