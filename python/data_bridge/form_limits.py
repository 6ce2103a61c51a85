"""How large a form may be, as an app, a router or a route says it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from pydantic import TypeAdapter


class FormLimits(TypedDict, total=False):
    """Limits of a form that is read for ``Form``, ``File`` or ``UploadFile`` parameters."""

    #: Fields that are no files.
    max_fields: int
    max_files: int
    #: Bytes of a field that is no file.
    max_part_size: int


@cache
def _adapter() -> TypeAdapter[FormLimits]:
    from pydantic import ConfigDict, NonNegativeInt, TypeAdapter, with_config  # noqa: PLC0415 - few forms have limits
    from typing_extensions import TypedDict  # noqa: PLC0415 - Pydantic wants this one before CPython 3.12

    numbers = dict.fromkeys(FormLimits.__annotations__, NonNegativeInt)
    strict = TypedDict("FormLimits", numbers, total=False)  # type: ignore[misc]
    return TypeAdapter(with_config(ConfigDict(strict=True, extra="forbid"))(strict))  # type: ignore[arg-type]


def validate_form_limits(limits: FormLimits | None) -> FormLimits:
    """Give the limits, none by default; raises Pydantic's ``ValidationError`` for what is no limit."""
    return {} if limits is None else _adapter().validate_python(limits)


#: The name under which FastAPI has it.
_FormLimits = FormLimits
