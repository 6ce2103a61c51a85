"""How large a form may be, as an app, a router or a route says it."""

from __future__ import annotations

from functools import cache

from pydantic import ConfigDict, NonNegativeInt, TypeAdapter, with_config
from typing_extensions import TypedDict


@with_config(ConfigDict(strict=True, extra="forbid"))
class FormLimits(TypedDict, total=False):
    """Limits of a form that is read for ``Form``, ``File`` or ``UploadFile`` parameters."""

    #: Fields that are no files.
    max_fields: NonNegativeInt
    max_files: NonNegativeInt
    #: Bytes of a field that is no file.
    max_part_size: NonNegativeInt


@cache
def _adapter() -> TypeAdapter[FormLimits]:
    return TypeAdapter(FormLimits)


def validate_form_limits(limits: FormLimits | None) -> FormLimits:
    """Give the limits, none by default; raises Pydantic's ``ValidationError`` for what is no limit."""
    return {} if limits is None else _adapter().validate_python(limits)


#: The name under which FastAPI has it.
_FormLimits = FormLimits
