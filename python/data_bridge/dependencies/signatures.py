"""Signatures with their annotations evaluated, even where they are strings or name what does not exist yet."""

from __future__ import annotations

import inspect
import sys
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Generator, Iterable, Iterator
from typing import Any, ForwardRef, get_args, get_origin

#: What a generator function may be annotated to give, its items being the first argument.
_STREAMS = frozenset((AsyncIterable, AsyncIterator, AsyncGenerator, Iterable, Iterator, Generator))


def _get_signature(call: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(call, eval_str=True)
    except NameError:
        # Some name is imported for type checkers only, or defined later.
        if sys.version_info >= (3, 14):
            from annotationlib import Format  # noqa: PLC0415 - not in older ones

            return inspect.signature(call, annotation_format=Format.FORWARDREF)
        return inspect.signature(call)


def _globals_of(call: Callable[..., Any]) -> dict[str, Any]:
    names: dict[str, Any] = getattr(inspect.unwrap(call), "__globals__", {})
    return names


def get_typed_signature(call: Callable[..., Any]) -> inspect.Signature:
    """Give the signature of ``call`` with its parameters' annotations evaluated."""
    names = _globals_of(call)
    return inspect.Signature(
        [
            parameter.replace(annotation=get_typed_annotation(parameter.annotation, names))
            for parameter in _get_signature(call).parameters.values()
        ]
    )


def get_typed_annotation(annotation: Any, globalns: dict[str, Any]) -> Any:
    """Evaluate an annotation that is a string."""
    if not isinstance(annotation, str):
        return annotation
    from data_bridge.fields import evaluate_forwardref  # noqa: PLC0415 - needs Pydantic

    evaluated = evaluate_forwardref(ForwardRef(annotation), globalns, globalns)
    return None if evaluated is type(None) else evaluated


def get_typed_return_annotation(call: Callable[..., Any]) -> Any:
    """Give what ``call`` is annotated to return, None if it is not."""
    annotation = _get_signature(call).return_annotation
    if annotation is inspect.Signature.empty:
        return None
    return get_typed_annotation(annotation, _globals_of(call))


def get_stream_item_type(annotation: Any) -> Any | None:
    """Give the type of the items of a stream, None if the annotation is none of a stream."""
    if get_origin(annotation) not in _STREAMS:
        return None
    return next(iter(get_args(annotation)), Any)
