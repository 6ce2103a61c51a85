"""How large a form may be, as an app, a router or a route says it."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, TypedDict


class FormLimits(TypedDict, total=False):
    """Limits of a form that is read for ``Form``, ``File`` or ``UploadFile`` parameters."""

    max_fields: int
    max_files: int
    max_part_size: int


@cache
def _adapter() -> Any:
    from pydantic import ConfigDict, Field, TypeAdapter, with_config  # noqa: PLC0415 - most apps set none
    from typing_extensions import TypedDict as ExtendedTypedDict  # noqa: PLC0415

    count = Annotated[int, Field(ge=0)]
    members = dict.fromkeys(FormLimits.__annotations__, count)
    checked = ExtendedTypedDict("_FormLimits", members, total=False)  # type: ignore[operator]
    return TypeAdapter(with_config(ConfigDict(strict=True, extra="forbid"))(checked))


def validate_form_limits(limits: FormLimits | None) -> FormLimits:
    """Give the limits, none by default; raises Pydantic's ``ValidationError`` for what is no limit."""
    return {} if limits is None else _adapter().validate_python(limits)
