"""What a signature says about a parameter beside its type: where it is and what holds for it. Knows no request.

The functions of :mod:`data_bridge.param_functions` make these; the options are written once, as :class:`FieldOptions`.
"""

from __future__ import annotations

import warnings
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined as Undefined

from .defaults import Unset
from .depends import Depends, Security
from .exceptions import FastAPIDeprecationWarning, require

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping

    from pydantic import AliasChoices, AliasPath, Discriminator
    from typing_extensions import Unpack, deprecated

__all__ = [
    "Body",
    "Cookie",
    "Declared",
    "Depends",
    "FieldOptions",
    "File",
    "Form",
    "Header",
    "Param",
    "ParamTypes",
    "Path",
    "Query",
    "Security",
    "Undefined",
]


class ParamTypes(Enum):
    """Where in a request, but for its body, a parameter may be."""

    query = "query"
    header = "header"
    path = "path"
    cookie = "cookie"


class FieldOptions(TypedDict, total=False):
    """Options of every parameter. Those that Pydantic's ``Field`` has too mean the same there."""

    default_factory: Callable[[], Any] | None
    alias: str | None
    alias_priority: int | None
    validation_alias: str | AliasPath | AliasChoices | None
    serialization_alias: str | None
    title: str | None
    description: str | None
    gt: float | None
    ge: float | None
    lt: float | None
    le: float | None
    min_length: int | None
    max_length: int | None
    pattern: str | re.Pattern[str] | None
    #: Deprecated: ``pattern``.
    regex: str | None
    discriminator: str | Discriminator | None
    strict: bool | None
    validate_default: bool | None
    union_mode: Literal["smart", "left_to_right"] | None
    fail_fast: bool | None
    multiple_of: float | None
    allow_inf_nan: bool | None
    max_digits: int | None
    decimal_places: int | None
    examples: list[Any] | None
    #: Deprecated: ``examples``.
    example: Any
    openapi_examples: Mapping[str, Any] | None
    deprecated: deprecated | str | bool | None
    include_in_schema: bool
    json_schema_extra: dict[str, Any] | Callable[[dict[str, Any]], None] | None


_OWN = frozenset(("regex", "example", "openapi_examples", "include_in_schema"))
_NAMES = frozenset(FieldOptions.__annotations__)
#: Options that Pydantic is given as None where nothing is said.
_NONE = ("annotation", "gt", "ge", "lt", "le", "min_length", "max_length", "pattern")


# FieldInfo is final to type checkers; FastAPI derives from it too, and so do all that know it.
class Declared(FieldInfo):  # type: ignore[misc]
    """A field that a signature declares."""

    example: Any
    include_in_schema: bool
    openapi_examples: Mapping[str, Any] | None

    def __init__(self, default: Any = Undefined, *, annotation: Any = None, **options: Unpack[FieldOptions]) -> None:
        unknown = options.keys() - _NAMES
        if unknown:
            raise TypeError(f"{type(self).__name__}() has no option {', '.join(map(repr, sorted(unknown)))}")
        self.example = options.get("example", Unset)
        self.include_in_schema = options.get("include_in_schema", True)
        self.openapi_examples = options.get("openapi_examples")
        if self.example is not Unset:
            _warn("`example` has been deprecated, please use `examples` instead")
        if options.get("regex") is not None:
            _warn("`regex` has been deprecated, please use `pattern` instead")
        given: dict[str, Any] = dict.fromkeys(_NONE)
        given |= {name: value for name, value in options.items() if name not in _OWN and value is not Unset}
        given["default"] = default
        given["annotation"] = annotation
        given["pattern"] = options.get("pattern") or options.get("regex")
        _complete_aliases(given)
        super().__init__(**given)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.default})"


def _warn(message: str) -> None:
    # Up to who called the function in param_functions.
    warnings.warn(message, category=FastAPIDeprecationWarning, stacklevel=5)


def _complete_aliases(given: dict[str, Any]) -> None:
    """Let an ``alias`` count both ways, unless one of them has its own."""
    alias = given.get("alias", Unset)
    if alias is Unset:
        return
    if given.get("validation_alias") is None:
        given["validation_alias"] = alias
    if given.get("serialization_alias") is None and isinstance(alias, str):
        given["serialization_alias"] = alias


class Param(Declared):  # type: ignore[misc]
    """A parameter that is not in the body."""

    in_: ParamTypes


class Path(Param):  # type: ignore[misc]
    """A part of the path. It has no default, since a path without it is another path."""

    in_ = ParamTypes.path

    def __init__(self, default: Any = ..., *, annotation: Any = None, **options: Unpack[FieldOptions]) -> None:
        require(default is ..., "Path parameters cannot have a default value")
        super().__init__(default, annotation=annotation, **options)


class Query(Param):  # type: ignore[misc]
    """A parameter in the query."""

    in_ = ParamTypes.query

    def __init__(self, default: Any = Undefined, *, annotation: Any = None, **options: Unpack[FieldOptions]) -> None:
        super().__init__(default, annotation=annotation, **options)


class Header(Param):  # type: ignore[misc]
    """A header field, named as the parameter with hyphens for underscores."""

    in_ = ParamTypes.header

    def __init__(
        self,
        default: Any = Undefined,
        *,
        convert_underscores: bool = True,
        annotation: Any = None,
        **options: Unpack[FieldOptions],
    ) -> None:
        self.convert_underscores = convert_underscores
        super().__init__(default, annotation=annotation, **options)


class Cookie(Param):  # type: ignore[misc]
    """A cookie."""

    in_ = ParamTypes.cookie

    def __init__(self, default: Any = Undefined, *, annotation: Any = None, **options: Unpack[FieldOptions]) -> None:
        super().__init__(default, annotation=annotation, **options)


class Body(Declared):  # type: ignore[misc]
    """The JSON body, or with ``embed`` (or beside others) one member of it."""

    def __init__(
        self,
        default: Any = Undefined,
        *,
        embed: bool | None = None,
        media_type: str = "application/json",
        annotation: Any = None,
        **options: Unpack[FieldOptions],
    ) -> None:
        self.embed = embed
        self.media_type = media_type
        super().__init__(default, annotation=annotation, **options)


class Form(Body):  # type: ignore[misc]
    """A field of a form."""

    def __init__(
        self,
        default: Any = Undefined,
        *,
        media_type: str = "application/x-www-form-urlencoded",
        annotation: Any = None,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(default, media_type=media_type, annotation=annotation, **options)


class File(Form):  # type: ignore[misc]
    """A file of a form."""

    def __init__(
        self,
        default: Any = Undefined,
        *,
        media_type: str = "multipart/form-data",
        annotation: Any = None,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(default, media_type=media_type, annotation=annotation, **options)
