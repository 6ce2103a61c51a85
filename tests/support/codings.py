"""What reads content codings, by their names."""

from __future__ import annotations

import sys
import zlib
from typing import Any

import brotli


def _zstd() -> Any:
    """Give what reads a stream of zstd."""
    if sys.version_info >= (3, 14):
        from compression import zstd

        return zstd.ZstdDecompressor().decompress
    import zstandard

    return zstandard.ZstdDecompressor().decompressobj().decompress


READERS: dict[str, Any] = {
    "gzip": lambda: zlib.decompressobj(31).decompress,
    "br": lambda: brotli.Decompressor().process,
    "zstd": _zstd,
}
