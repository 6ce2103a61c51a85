"""What a type annotation is to a parameter: a scalar, a sequence, a file, a model. Knows no field."""

from __future__ import annotations

import types
import typing
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from typing import Annotated, Any, TypeGuard, TypeVar, Union, get_args, get_origin

T = TypeVar("T")
UnionType = types.UnionType

_GENERICS: tuple[Any, ...] = (typing._GenericAlias, types.GenericAlias, types.UnionType)  # type: ignore[attr-defined]

#: What a value becomes that was received as a list.
sequence_annotation_to_type: dict[Any, Any] = {
    Sequence: list,
    list: list,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
    deque: deque,
}
sequence_types: tuple[type[Any], ...] = tuple(sequence_annotation_to_type)


def lenient_issubclass(cls: Any, class_or_tuple: type[T] | tuple[type[T], ...] | None) -> TypeGuard[type[T]]:
    """``issubclass`` that is False for what is no class (``list[int]`` is one to ``isinstance`` on some versions)."""
    try:
        return isinstance(cls, type) and issubclass(cls, class_or_tuple)  # type: ignore[arg-type]
    except TypeError:
        if isinstance(cls, _GENERICS):
            return False
        raise


def is_union(annotation: Any) -> bool:
    """Whether it is ``X | Y`` or ``Union[X, Y]``."""
    return get_origin(annotation) in (Union, UnionType)


def is_upload(annotation: Any) -> bool:
    """Whether it is our own ``UploadFile`` or Starlette's, which a user brought along."""
    from data_bridge.datastructures import UploadFile  # noqa: PLC0415 - forms are imported when one is declared

    if lenient_issubclass(annotation, UploadFile):
        return True
    return isinstance(annotation, type) and is_starlettes(annotation, "UploadFile")


def is_starlettes(cls: type, name: str) -> bool:
    """Whether ``cls`` is Starlette's or FastAPI's own class of this name, or derives from it."""
    return any(
        base.__name__ == name and base.__module__.partition(".")[0] in ("starlette", "fastapi")
        for base in getattr(cls, "__mro__", ())
    )


def _is_sequence_class(annotation: Any) -> bool:
    return not lenient_issubclass(annotation, (str, bytes)) and lenient_issubclass(annotation, sequence_types)


def field_annotation_is_sequence(annotation: Any) -> bool:
    """Whether a value of this type is made of several received ones; of a union, one alternative is enough."""
    if get_origin(annotation) is Annotated:
        return field_annotation_is_sequence(get_args(annotation)[0])
    if is_union(annotation):
        return any(field_annotation_is_sequence(alternative) for alternative in get_args(annotation))
    return _is_sequence_class(annotation) or _is_sequence_class(get_origin(annotation))


def value_is_sequence(value: Any) -> bool:
    """Whether it is a list or its like, and no text."""
    return isinstance(value, sequence_types) and not isinstance(value, (str, bytes))


def _is_complex_class(annotation: Any) -> bool:
    from pydantic import BaseModel  # noqa: PLC0415 - a route without parameters asks nothing of the kind

    return (
        lenient_issubclass(annotation, (BaseModel, Mapping))
        or _is_sequence_class(annotation)
        or is_dataclass(annotation)
        or is_upload(annotation)
    )


def field_annotation_is_complex(annotation: Any) -> bool:
    """Whether such a parameter can only come from a body, where nothing else is said."""
    origin = get_origin(annotation)
    if is_union(annotation):
        return any(field_annotation_is_complex(alternative) for alternative in get_args(annotation))
    if origin is Annotated:
        return field_annotation_is_complex(get_args(annotation)[0])
    knows_pydantic = hasattr(origin, "__pydantic_core_schema__") or hasattr(origin, "__get_pydantic_core_schema__")
    return _is_complex_class(annotation) or _is_complex_class(origin) or knows_pydantic


def field_annotation_is_scalar(annotation: Any) -> bool:
    """Whether such a parameter may come from the path or the query."""
    return annotation is Ellipsis or not field_annotation_is_complex(annotation)


def field_annotation_is_scalar_sequence(annotation: Any) -> bool:
    """Whether it is a sequence of scalars, as a repeated query parameter is; the rest of a union must be scalars."""
    if get_origin(annotation) is Annotated:
        return field_annotation_is_scalar_sequence(get_args(annotation)[0])
    if is_union(annotation):
        others = [part for part in get_args(annotation) if not field_annotation_is_scalar_sequence(part)]
        return len(others) < len(get_args(annotation)) and all(map(field_annotation_is_scalar, others))
    return field_annotation_is_sequence(annotation) and all(map(field_annotation_is_scalar, get_args(annotation)))


def _self_or_alternatives(annotation: Any) -> Iterator[Any]:
    yield annotation
    if is_union(annotation):
        yield from get_args(annotation)


def is_bytes_or_nonable_bytes_annotation(annotation: Any) -> bool:
    """Whether it is ``bytes`` or a union with it."""
    return any(lenient_issubclass(part, bytes) for part in _self_or_alternatives(annotation))


def is_uploadfile_or_nonable_uploadfile_annotation(annotation: Any) -> bool:
    """Whether it is ``UploadFile`` or a union with it."""
    return any(is_upload(part) for part in _self_or_alternatives(annotation))


def _is_sequence_of(annotation: Any, is_item: Callable[[Any], bool]) -> bool:
    if is_union(annotation):
        return any(_is_sequence_of(part, is_item) for part in get_args(annotation))
    return field_annotation_is_sequence(annotation) and all(map(is_item, get_args(annotation)))


def is_bytes_sequence_annotation(annotation: Any) -> bool:
    """Whether it is a sequence of ``bytes`` or a union with one."""
    return _is_sequence_of(annotation, is_bytes_or_nonable_bytes_annotation)


def is_uploadfile_sequence_annotation(annotation: Any) -> bool:
    """Whether it is a sequence of ``UploadFile`` or a union with one."""
    return _is_sequence_of(annotation, is_uploadfile_or_nonable_uploadfile_annotation)


def _pydantic_v1() -> type[Any] | None:
    """Give the base of ``pydantic.v1``'s models, if the program has imported it; else there is none of them."""
    import sys  # noqa: PLC0415 - one use

    module = sys.modules.get("pydantic.v1")
    if module is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        base: type[Any] = module.BaseModel
        return base


def is_pydantic_v1_model_instance(value: Any) -> bool:
    """Whether it is an instance of a ``pydantic.v1`` model."""
    base = _pydantic_v1()
    return base is not None and isinstance(value, base)


def is_pydantic_v1_model_class(cls: Any) -> bool:
    """Whether it is a ``pydantic.v1`` model."""
    base = _pydantic_v1()
    return base is not None and lenient_issubclass(cls, base)


def annotation_is_pydantic_v1(annotation: Any) -> bool:
    """Whether it is a ``pydantic.v1`` model, or a union or sequence of one."""
    if any(map(is_pydantic_v1_model_class, _self_or_alternatives(annotation))):
        return True
    return field_annotation_is_sequence(annotation) and any(map(annotation_is_pydantic_v1, get_args(annotation)))
