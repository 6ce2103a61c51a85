"""Declared middleware that our server carries out without the interpreter, ours and Starlette's.

Known by its exact class, as its module made it. What a layer does not decide (a pattern of origins, a body for a
thread, a host that is no plain name) goes through the app, whose own middleware then does it: `crates/api/src/layer`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from ..middleware.gzip import THREAD_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable

#: A layer's kind and its options, as `_native` takes them.
Layer = tuple[str, Any]

#: What does nothing to any request.
_PASSES: Layer = ("passes", None)

#: Releases of Starlette whose middleware was compared with our layers; that of others goes its own way.
STARLETTES = ("1.10.",)


class Known(NamedTuple):
    """The middleware of an app, the outermost one first, if all of it is known."""

    layers: list[Layer]
    #: The first class that is not.
    unknown: Any


def known_layers(app: Any) -> Known:
    """Find the layers of an app's own middleware."""
    layers: list[Layer] = []
    for declared in app.user_middleware:
        cls, args, kwargs = declared
        describe = _described(cls)
        layer = None if describe is None else describe(cls(None, *args, **kwargs))
        if layer is None:
            return Known([], cls)
        if layer is not _PASSES:
            layers.append(layer)
    return Known(layers, None)


def _described(cls: Any) -> Callable[[Any], Layer | None] | None:
    """Give what describes a middleware of this very class, if it is as its module made it."""
    package, _, module = getattr(cls, "__module__", "").partition(".middleware.")
    describe = _KINDS.get((module, getattr(cls, "__qualname__", "")))
    if describe is None or not isinstance(cls, type) or not _is_compared(package):
        return None
    home = sys.modules.get(cls.__module__)
    is_its_own = getattr(home, cls.__name__, None) is cls
    # Somebody may have put other functions in the place of its own.
    functions = [getattr(cls, name) for name, value in vars(cls).items() if callable(value)]
    files = {getattr(getattr(function, "__code__", None), "co_filename", None) for function in functions}
    return describe if is_its_own and files == {getattr(home, "__file__", "")} else None


def _is_compared(package: str) -> bool:
    if package == "starlette":
        return str(getattr(sys.modules[package], "__version__", "")).startswith(STARLETTES)
    return package == "data_bridge"


def _cors(middleware: Any) -> Layer | None:
    lists = (middleware.allow_origins, middleware.allow_methods)
    if not all(_is_list_of_texts(texts) for texts in lists):
        return None
    return "cors", (
        middleware.allow_all_origins,
        _encoded(middleware.allow_origins),
        middleware.allow_origin_regex is not None,
        middleware.allow_credentials,
        _fields(middleware.simple_headers),
        (
            _fields(middleware.preflight_headers),
            middleware.preflight_explicit_allow_origin,
            _encoded(middleware.allow_methods),
            middleware.allow_all_headers,
            _encoded(middleware.allow_headers),
            middleware.allow_private_network,
        ),
    )


def _is_list_of_texts(given: Any) -> bool:
    return isinstance(given, (list, tuple, set, frozenset)) and all(type(text) is str for text in given)


def _encoded(texts: Any) -> list[bytes]:
    """Give texts as a request may have them: those that it cannot have match nothing."""
    return [text.encode("latin-1") for text in texts if all(ord(letter) < 256 for letter in text)]  # noqa: PLR2004


def _fields(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def _hosts(middleware: Any) -> Layer:
    if middleware.allow_any:
        return _PASSES
    return "hosts", (list(middleware.allowed_hosts), bool(middleware.www_redirect))


def _secure(_middleware: Any) -> Layer:
    return "secure", None


def _limit(middleware: Any) -> Layer | None:
    limit = middleware.max_body_size
    return ("limit", limit) if type(limit) is int and limit >= 0 else None


def _gzip(middleware: Any) -> Layer | None:
    return _compression(middleware, None, middleware.compresslevel, middleware.thread_minimum_size)


def _best(middleware: Any) -> Layer | None:
    levels = middleware.levels
    offered = [(name, levels[name]) for name in middleware.encodings]
    if not all(type(level) is int and level in _LEVELS[name] for name, level in offered):
        return None
    return _compression(middleware, offered, levels["gzip"], THREAD_SIZE)


#: What the libraries take, here and in Python.
_LEVELS = {"zstd": range(1, 23), "br": range(12), "gzip": range(-1, 10)}


def _compression(
    middleware: Any, encodings: list[tuple[str, int]] | None, level: Any, thread_size: Any
) -> Layer | None:
    numbers = (level, middleware.minimum_size, thread_size)
    excluded = list(middleware.exclude_content_types)
    if not all(type(number) is int and -1 <= number < sys.maxsize for number in numbers) or level > 9:  # noqa: PLR2004
        return None
    if not all(text.isascii() for text in excluded):
        return None
    return "compression", (encodings, level, max(middleware.minimum_size, 0), max(thread_size, 0), excluded)


_KINDS: dict[tuple[str, str], Callable[[Any], Layer | None]] = {
    ("cors", "CORSMiddleware"): _cors,
    ("trustedhost", "TrustedHostMiddleware"): _hosts,
    ("httpsredirect", "HTTPSRedirectMiddleware"): _secure,
    ("gzip", "GZipMiddleware"): _gzip,
    ("compression", "CompressionMiddleware"): _best,
    ("body_limit", "RequestBodyLimitMiddleware"): _limit,
}
