"""Compression by the best encoding that the client and this installation have: zstd, br, gzip, in that order.

zstd needs Python 3.14 or zstandard, br needs brotli; what is not installed is not offered.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from ..datastructures import Headers
from ..negotiation import weight_of
from .gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, THREAD_SIZE, GZip, Sender, media_types

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..types import ASGIApp, Receive, Scope, Send


class CompressionMiddleware:
    """Compresses bodies of ``minimum_size`` bytes or more.

    ``encodings`` are those that may be used, the preferred one first; ``levels`` overrides theirs.
    """

    def __init__(
        self,
        app: ASGIApp,
        minimum_size: int = 500,
        *,
        encodings: Sequence[str] = ("zstd", "br", "gzip"),
        levels: dict[str, int] | None = None,
        exclude_content_types: Sequence[str] = DEFAULT_EXCLUDED_CONTENT_TYPES,
    ) -> None:
        self.app = app
        self.minimum_size = minimum_size
        self.exclude_content_types = media_types(exclude_content_types)
        makers = {name: maker for name in encodings if (maker := _maker(name)) is not None}
        #: What is offered, the preferred one first.
        self.encodings = tuple(makers)
        self._makers = makers
        #: By encoding, as its library counts.
        self.levels = {"zstd": 3, "br": 4, "gzip": 6, **(levels or {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, and compress its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name = choose(", ".join(Headers(scope=scope).getlist("accept-encoding")), self.encodings)
        compressor = None if name is None else self._makers[name](self.levels[name])
        sender = Sender(send, compressor, self.minimum_size, THREAD_SIZE, self.exclude_content_types)
        await self.app(scope, receive, sender)


def choose(accepted: str, offered: Sequence[str]) -> str | None:
    """Give the encoding that the client likes best (RFC 9110, 12.5.3); of equal ones the first that is offered."""
    weights: dict[str, float] = {}
    for item in accepted.split(","):
        name, _, parameters = item.partition(";")
        weights[name.strip().lower()] = weight_of(parameters)
    anything = weights.get("*", 0.0)
    best = max(offered, key=lambda name: weights.get(name, anything), default=None)
    return best if best is not None and weights.get(best, anything) > 0 else None


class _Brotli:
    encoding: ClassVar[str] = "br"

    def __init__(self, level: int) -> None:
        self._stream = import_module("brotli").Compressor(quality=level)

    def compress(self, data: bytes, *, is_last: bool) -> bytes:
        head: bytes = self._stream.process(data)
        tail: bytes = self._stream.finish() if is_last else self._stream.flush()
        return head + tail


class _Zstandard:
    encoding: ClassVar[str] = "zstd"

    def __init__(self, level: int) -> None:
        try:
            library: Any = import_module("compression.zstd")
            self._stream = library.ZstdCompressor(level=level)
            self._block, self._end = library.ZstdCompressor.FLUSH_BLOCK, library.ZstdCompressor.FLUSH_FRAME
        except ModuleNotFoundError:
            library = import_module("zstandard")
            self._stream = library.ZstdCompressor(level=level).compressobj()
            self._block, self._end = library.COMPRESSOBJ_FLUSH_BLOCK, library.COMPRESSOBJ_FLUSH_FINISH

    def compress(self, data: bytes, *, is_last: bool) -> bytes:
        head: bytes = self._stream.compress(data)
        tail: bytes = self._stream.flush(self._end if is_last else self._block)
        return head + tail


_MAKERS: dict[str, tuple[Callable[[int], Any], tuple[str, ...]]] = {
    "zstd": (_Zstandard, ("compression.zstd", "zstandard")),
    "br": (_Brotli, ("brotli",)),
    "gzip": (GZip, ("zlib",)),
}


@cache
def _maker(name: str) -> Callable[[int], Any] | None:
    """Give what compresses by this encoding; None where its library is missing."""
    if name not in _MAKERS:
        raise ValueError(f"no compression is called {name!r}, only {', '.join(_MAKERS)}")
    maker, libraries = _MAKERS[name]
    for library in libraries:
        try:
            import_module(library)
        except ModuleNotFoundError:
            continue
        return maker
    return None
