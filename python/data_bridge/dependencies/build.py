"""From a callable to its dependant, and to those of all that it depends on. Knows no field: `analyze` does."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Literal, cast

from data_bridge.depends import Depends, Security
from data_bridge.exceptions import DeclarationError, DependencyScopeError, require
from data_bridge.utils import get_path_param_names

from .models import Dependant, _get_computed_scope, _is_async_gen_callable, _is_gen_callable
from .signatures import get_typed_signature
from .special import add_non_field_param_to_dependency

if TYPE_CHECKING:
    from collections.abc import Callable

    from data_bridge.dependency_limits import DependencyConcurrency
    from data_bridge.fields import ModelField

    from .models import Call


def get_parameterless_sub_dependant(*, depends: Depends, path: str) -> Dependant:
    """Make the dependant of a dependency whose result nobody takes."""
    if depends.dependency is None or not callable(depends.dependency):
        raise DeclarationError("A parameter-less dependency must have a callable dependency")
    return get_dependant(
        path=path,
        call=depends.dependency,
        scope=depends.scope,
        concurrency=depends._concurrency,
        own_oauth_scopes=_scopes_of(depends),
    )


def _scopes_of(depends: Depends) -> list[str]:
    return list(depends.scopes or ()) if isinstance(depends, Security) else []


def get_dependant(
    *,
    path: str,
    call: Callable[..., Any],
    name: str | None = None,
    own_oauth_scopes: list[str] | None = None,
    parent_oauth_scopes: list[str] | None = None,
    use_cache: bool = True,
    scope: Literal["function", "request"] | None = None,
    concurrency: DependencyConcurrency | None = None,
) -> Dependant:
    """Make the dependant of ``call`` in a route at ``path``, and those of all that it depends on."""
    dependant = Dependant(
        call=call,
        name=name,
        path=path,
        use_cache=use_cache,
        scope=scope,
        concurrency=concurrency,
        own_oauth_scopes=own_oauth_scopes,
        parent_oauth_scopes=parent_oauth_scopes,
    )
    for param_name, parameter in get_typed_signature(call).parameters.items():
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            raise DeclarationError(f"{param_name!r} cannot be passed by name")
        is_special = parameter.default is inspect.Signature.empty and add_non_field_param_to_dependency(
            param_name=param_name, type_annotation=parameter.annotation, dependant=dependant
        )
        if not is_special:
            _add(dependant, param_name, parameter)
    return dependant


def _add(dependant: Dependant, param_name: str, parameter: inspect.Parameter) -> None:
    from .analyze import add_param_to_fields, analyze_param  # noqa: PLC0415 - needs Pydantic

    details = analyze_param(
        param_name=param_name,
        annotation=parameter.annotation,
        value=parameter.default,
        path_param_names=get_path_param_names(cast("str", dependant.path)),
    )
    if details.depends is not None:
        dependant.dependencies.append(_sub_dependant(dependant, param_name, details.depends))
    elif add_non_field_param_to_dependency(
        param_name=param_name, type_annotation=details.type_annotation, dependant=dependant
    ):
        require(details.field is None, f"Cannot specify multiple FastAPI annotations for {param_name!r}")
    else:
        add_param_to_fields(field=cast("ModelField", details.field), dependant=dependant)


def _sub_dependant(dependant: Dependant, param_name: str, depends: Depends) -> Dependant:
    call = dependant.call
    is_generator = _is_gen_callable(call) or _is_async_gen_callable(call)
    if is_generator and _get_computed_scope(dependant=dependant) == "request" and depends.scope == "function":
        call_name = getattr(call, "__name__", "<unnamed_callable>")
        raise DependencyScopeError(
            f'The dependency "{call_name}" has a scope of "request", '
            'it cannot depend on dependencies with scope "function".'
        )
    return get_dependant(
        path=cast("str", dependant.path),
        call=cast("Call", depends.dependency),
        name=param_name,
        own_oauth_scopes=_scopes_of(depends),
        parent_oauth_scopes=(dependant.parent_oauth_scopes or []) + (dependant.own_oauth_scopes or []),
        use_cache=depends.use_cache,
        scope=depends.scope,
        concurrency=depends._concurrency,
    )
