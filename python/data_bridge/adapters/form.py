"""The values of a form without files, from bytes to what the endpoint takes. Raises where FastAPI has to decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .._native import UrlencodedForm
from ..forms.parse import unquoted
from .fields import NotCompiled, adapter_of, aliases_of, default_of, is_list, is_model

if TYPE_CHECKING:
    from collections.abc import Callable

#: What FastAPI allows where nobody says otherwise: fields, and bytes of a field.
_MAX_FIELDS = 1000
_MAX_FIELD_SIZE = 1024 * 1024


class _Field(NamedTuple):
    """A parameter: ``aliases`` are its names in the form; ``many`` takes all values of a name, else the last counts."""

    aliases: tuple[str, ...]
    many: bool
    validate: Callable[..., Any]
    is_required: bool
    default: Any
    make_default: Callable[[], Any] | None

    def value(self, sent: dict[str, list[str]]) -> Any:
        for alias in self.aliases:
            found = sent.get(alias)
            if found is not None and (self.many or found[-1]):
                return self.validate(found if self.many else found[-1], from_attributes=True)
        if self.is_required:
            raise ValueError("a required value is missing")
        return self.default if self.make_default is None else self.make_default()


def acceptor(framework: Any, fields: list[Any], *, embed: bool) -> Callable[[bytes], Any]:
    """Give what makes the values of ``fields`` from a body. Raises :class:`NotCompiled`."""
    if not embed:
        raise NotCompiled("its form is one value")
    read = [_field_of(framework, field) for field in fields]

    def accept(content: bytes) -> Any:
        sent = _read(content)
        values = [field.value(sent) for field in read]
        return values[0] if len(values) == 1 else values

    return accept


def _field_of(framework: Any, field: Any) -> _Field:
    info = field.field_info
    if not isinstance(info, framework.params.Form) or isinstance(info, framework.params.File):
        raise NotCompiled("its form has files, or is more than a form")
    if is_model(field):
        raise NotCompiled(f"form parameter {field.name!r} is a model")
    many = is_list(framework, field)
    if framework.is_json_field(field):
        raise NotCompiled(f"form parameter {field.name!r} is JSON")
    if not info.is_required() and info.validate_default:
        raise NotCompiled(f"the default of {field.name!r} is validated for each request")
    default, make_default = (None, None) if info.is_required() else default_of(field)
    validate = adapter_of(field).validator.validate_python
    return _Field(aliases_of(field), many, validate, info.is_required(), default, make_default)


def _read(content: bytes) -> dict[str, list[str]]:
    form = UrlencodedForm(_MAX_FIELDS, _MAX_FIELD_SIZE)
    form.feed(content)
    sent: dict[str, list[str]] = {}
    for name, value in form.finish():
        sent.setdefault(unquoted(name), []).append(unquoted(value))
    return sent
