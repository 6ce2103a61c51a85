"""The functions that users write into signatures; to a type checker their result fits every annotation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from . import params
from .fields.model_field import Undefined

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typing_extensions import Unpack

    from .params import FieldOptions

# The functions' names are those of what they make.
# ruff: noqa: N802


def Path(default: Any = ..., **options: Unpack[FieldOptions]) -> Any:
    """Declare a part of the path; see :class:`data_bridge.params.FieldOptions`."""
    return params.Path(default, **options)


def Query(default: Any = Undefined, **options: Unpack[FieldOptions]) -> Any:
    """Declare a parameter of the query; a list for one that may be repeated, a model for all at once."""
    return params.Query(default, **options)


def Header(default: Any = Undefined, *, convert_underscores: bool = True, **options: Unpack[FieldOptions]) -> Any:
    """Declare a header field; ``convert_underscores`` makes hyphens of the parameter's underscores."""
    return params.Header(default, convert_underscores=convert_underscores, **options)


def Cookie(default: Any = Undefined, **options: Unpack[FieldOptions]) -> Any:
    """Declare a cookie."""
    return params.Cookie(default, **options)


def Body(
    default: Any = Undefined,
    *,
    embed: bool | None = None,
    media_type: str = "application/json",
    **options: Unpack[FieldOptions],
) -> Any:
    """Declare the body, or with ``embed`` a member of it; ``media_type`` is what the description names."""
    return params.Body(default, embed=embed, media_type=media_type, **options)


def Form(
    default: Any = Undefined, *, media_type: str = "application/x-www-form-urlencoded", **options: Unpack[FieldOptions]
) -> Any:
    """Declare a field of a form."""
    return params.Form(default, media_type=media_type, **options)


def File(default: Any = Undefined, *, media_type: str = "multipart/form-data", **options: Unpack[FieldOptions]) -> Any:
    """Declare a file of a form."""
    return params.File(default, media_type=media_type, **options)


def Depends(
    dependency: Callable[..., Any] | None = None,
    *,
    use_cache: bool = True,
    scope: Literal["function", "request"] | None = None,
    max_concurrency: int | None = None,
) -> Any:
    """Declare a dependency; see :class:`data_bridge.params.Depends`."""
    return params.Depends(dependency, use_cache, scope, max_concurrency=max_concurrency)


def Security(
    dependency: Callable[..., Any] | None = None, *, scopes: Sequence[str] | None = None, use_cache: bool = True
) -> Any:
    """Declare a dependency that asks for ``scopes``; see :class:`data_bridge.params.Security`."""
    return params.Security(dependency, use_cache, scopes=scopes)
