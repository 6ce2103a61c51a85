"""A form's body, as it arrives, to a form's data: limits, texts, files. The syntax is Rust's, `crates/api/src/form`."""

from __future__ import annotations

import codecs
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import unquote_plus

from data_bridge._native import MultipartForm, UrlencodedForm, parse_options
from data_bridge.concurrency import run_in_threadpool
from data_bridge.datastructures.headers import Headers

from .data import FormData
from .upload import UploadFile

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable
    from typing import BinaryIO

_T = TypeVar("_T")

#: Bytes of a file that are kept in memory.
SPOOL_MAX_SIZE = 1024 * 1024

#: Bytes of a file on disk that are gathered before a thread writes them.
_GATHERED = 1024 * 1024


class MultiPartException(Exception):
    """A form that cannot be parsed, or that has too much; answered with 400."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


async def parse_form(
    headers: Headers,
    stream: AsyncIterable[bytes],
    *,
    max_files: float = 1000,
    max_fields: float = 1000,
    max_part_size: int = 1024 * 1024,
) -> FormData:
    """Parse a body by its type; one that is no form gives an empty form. Raises :class:`MultiPartException`."""
    media_type, options = parse_options(headers.get("content-type", "").encode("latin-1"))
    limits = _Limits(max_files, max_fields, max_part_size)
    if media_type == b"multipart/form-data":
        return await _Multipart(options, limits).parse(stream)
    if media_type == b"application/x-www-form-urlencoded":
        return await _parse_urlencoded(stream, limits)
    return FormData()


class _Limits:
    """How much a form may have, and how it is said that one has more."""

    def __init__(self, files: float, fields: float, size: int) -> None:
        self.files = files
        self.fields = fields
        self.size = size

    def keep(self, unit: str, read: Callable[..., _T], *arguments: Any) -> _T:
        """Call a parser; what it refuses is said as users know it."""
        try:
            return read(*arguments)
        except ValueError as error:
            raise self._refusal(error, unit) from None

    def _refusal(self, error: ValueError, unit: str) -> MultiPartException:
        kilobytes = int(self.size / 1024)
        return MultiPartException(
            {
                "syntax": "Invalid multipart data.",
                "name": 'The Content-Disposition header field "name" must be provided.',
                "files": f"Too many files. Maximum number of files is {self.files}.",
                "fields": f"Too many fields. Maximum number of fields is {self.fields}.",
                "size": f"{unit} exceeded maximum size of {kilobytes}KB.",
            }[str(error)]
        )


async def _parse_urlencoded(stream: AsyncIterable[bytes], limits: _Limits) -> FormData:
    form = UrlencodedForm(limits.fields, limits.size)
    async for chunk in stream:
        limits.keep("Field", form.feed, bytes(chunk))
    pairs = limits.keep("Field", form.finish)
    return FormData([(unquoted(name), unquoted(value)) for name, value in pairs])


def unquoted(sent: str | bytes) -> str:
    """Decode a name or a value, unless it is decoded already."""
    return sent if isinstance(sent, str) else unquote_plus(sent.decode("latin-1"))


class _Multipart:
    def __init__(self, options: dict[bytes, bytes], limits: _Limits) -> None:
        self._limits = limits
        self._charset = _known_charset(options.get(b"charset", b"utf-8"))
        self._items: list[tuple[str, str | UploadFile]] = []
        self._writing: _Writing | None = None
        boundary = options.get(b"boundary")
        if boundary is None:
            raise MultiPartException("Missing boundary in multipart.")
        self._form = limits.keep("Part", MultipartForm, boundary, limits.files, limits.fields, limits.size)

    async def parse(self, stream: AsyncIterable[bytes]) -> FormData:
        try:
            async for chunk in stream:
                await self._take(bytes(chunk))
        except BaseException:
            self._close()
            raise
        if self._writing is not None:  # the body ended within a file, which is none of the form's then
            self._writing.file.close()
        return FormData(self._items)

    async def _take(self, chunk: bytes) -> None:
        view = memoryview(chunk)
        for event in self._limits.keep("Part", self._form.feed, chunk):
            if event is None:
                await self._end_file()
            elif isinstance(event, tuple):
                self._begin(*event)
            elif self._writing is not None:
                await self._writing.write(view[event] if isinstance(event, slice) else event)

    def _begin(self, name: bytes, value: bytes, fields: list[tuple[bytes, bytes]] | None = None) -> None:
        """Keep a field; ``fields`` are there for a file, whose name ``value`` is."""
        if fields is None:
            self._items.append((self._decode(name), self._decode(value)))
            return
        file = SpooledTemporaryFile(max_size=SPOOL_MAX_SIZE)  # noqa: SIM115 - closed with the form
        upload = UploadFile(cast("BinaryIO", file), size=0, filename=self._decode(value), headers=Headers(raw=fields))
        self._writing = _Writing(file, upload, self._decode(name))

    async def _end_file(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            self._items.append((writing.name, writing.upload))
            await writing.finish()

    def _close(self) -> None:
        if self._writing is not None:
            self._writing.file.close()
        for _, value in self._items:
            if isinstance(value, UploadFile):
                value.file.close()

    def _decode(self, sent: bytes) -> str:
        try:
            return sent.decode(self._charset)
        except (UnicodeDecodeError, LookupError):
            return sent.decode("latin-1")


class _Writing:
    """A file that is being received: in memory while it is small, then written by threads, in large pieces."""

    def __init__(self, file: SpooledTemporaryFile[bytes], upload: UploadFile, name: str) -> None:
        self.file = file
        self.upload = upload
        self.name = name
        self._size = 0
        self._waiting: list[Any] = []
        self._waiting_size = 0

    async def write(self, piece: bytes | memoryview) -> None:
        size = len(piece)
        self._size += size
        if self._size <= SPOOL_MAX_SIZE:
            self.file.write(piece)
            return
        self._waiting.append(piece)
        self._waiting_size += size
        if self._waiting_size >= _GATHERED:
            await self._flush()

    async def finish(self) -> None:
        await self._flush(rewind=True)
        self.upload.size = self._size

    async def _flush(self, *, rewind: bool = False) -> None:
        pieces, self._waiting, self._waiting_size = self._waiting, [], 0
        if pieces:
            await run_in_threadpool(_write, self.file, pieces)
        if rewind:
            self.file.seek(0)


def _write(file: SpooledTemporaryFile[bytes], pieces: list[Any]) -> None:
    for piece in pieces:
        file.write(piece)


def _known_charset(sent: bytes) -> str:
    try:
        return codecs.lookup(sent.decode("latin-1")).name
    except LookupError:
        return "latin-1"
