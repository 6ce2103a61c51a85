"""From a route of FastAPI or of our App to an operation of the plan, or to the reason why not. At registration only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._native import parse_path
from ..plan.callables import kind_of, unwrap
from ..plan.graph import Graph
from ..plan.schema import runs_user_code
from ..plan.types import Encoding, Operation, Step
from . import CONSTANT, NATIVE, body, form
from .fields import NotCompiled, adapter_of, is_model, param_of
from .makers import background, parameter_model, request, response, security_scopes
from .respond import Responder, serialising

if TYPE_CHECKING:
    from ..plan.graph import Inputs, Slot
    from ..plan.types import Place, StepKind

_PLACES: tuple[Place, ...] = ("path", "query", "header", "cookie")


def compile_route(
    framework: Any, context: Any, obstacle: str | None = None, *, limits_forms: bool = False
) -> Operation:
    """Compile a `RouteContext` of ``framework``, described by `upstream` or `own`.

    ``limits_forms``: routers say how large forms may be. Raises :class:`NotCompiled` with what stands in the way,
    ``obstacle`` where given.
    """
    if obstacle is not None:
        raise NotCompiled(obstacle)
    _check_route(framework, context)
    graph = _Graph(framework, context)
    route = context.original_route
    inputs = graph.solve(context.dependant)
    call = context.dependant.call
    kind = kind_of(call)
    if "generator" in kind:
        raise NotCompiled("it streams what a generator yields")
    endpoint = Step(
        call=call,
        mode="task" if kind == "coroutine" else "inline" if getattr(route, "inline", False) else "thread",
        inputs=graph.place(inputs),
    )
    takes_form = any(isinstance(field.field_info, framework.params.Form) for field in graph.bodies)
    accept, plain_body = None, True
    if takes_form:
        if limits_forms or getattr(route, "form_limits", None):
            raise NotCompiled("its form has limits")
        accept, plain_body = form.acceptor(framework, graph.bodies, embed=graph.embed), False
    elif graph.bodies:
        accept, plain_body = body.acceptor(graph.bodies, embed=graph.embed)
    needs_request = any(step.mode == "generator" for step in graph.steps) or bool(graph.makers)
    return Operation(
        path=context.path,
        methods=tuple(sorted(context.methods)),
        params=tuple(graph.params),
        accept=accept,
        takes_form=takes_form,
        bodies=len(graph.bodies),
        makers=tuple(graph.makers),
        steps=(*graph.placed_steps(), endpoint),
        slots=graph.slot_of_step(len(graph.steps) + 1),
        direct=endpoint if plain_body and not graph.steps and not graph.makers else None,
        is_native=not needs_request,
        result=_encoding(framework, context),
        status=context.status_code or 200,
        route=Responder(framework, context, endpoint),
        timeout=getattr(route, "timeout", None),
        on_disconnect=getattr(route, "on_disconnect", None),
    )


def _check_route(framework: Any, context: Any) -> None:
    route, plain = context.original_route, framework.routing.APIRoute
    if not isinstance(route, plain):
        if hasattr(route, "natives"):
            raise NotCompiled(NATIVE)
        raise NotCompiled(CONSTANT if hasattr(route, "constant") else f"it is a {type(route).__name__}")
    for name in ("get_route_handler", "handle", "matches", "__call__"):
        if getattr(type(route), name) is not getattr(plain, name):
            raise NotCompiled(f"its route class has its own {name}()")
    if type(route).__init__ is not plain.__init__:
        raise NotCompiled("its route class has its own constructor")
    if not framework.is_plain(context):
        raise NotCompiled("it has a body limit" if context.max_body_size is not None else "something wraps it")


class _Graph(Graph):
    """The dependencies of a route as FastAPI, or our App, describes them."""

    def __init__(self, framework: Any, context: Any) -> None:
        super().__init__()
        self.framework = framework
        self.in_path = dict(parse_path(context.path))
        self.embed = bool(context._embed_body_fields)

    def wants(self, dependant: Any) -> Inputs:
        inputs = []
        for place in _PLACES:
            inputs += [(field.name, self._param(field, place)) for field in getattr(dependant, f"{place}_params")]
        for field in dependant.body_params:
            inputs.append((field.name, self.add("body", self.bodies, field)))
        return inputs + self._specials(dependant)

    def key(self, dependant: Any) -> Any:
        return _cache_key(self.framework, dependant)

    def step(self, dependant: Any) -> Step:
        kind = kind_of(dependant.call)
        mode: StepKind = "generator" if "generator" in kind else "task" if kind == "coroutine" else "thread"
        if mode == "generator" and self.framework.enter_generator is None:
            raise NotCompiled("this release of FastAPI enters generators in another way")
        limit = dependant.concurrency
        return Step(
            call=dependant.call,
            mode=mode,
            inputs=(),
            of_function=dependant.scope == "function",
            dependant=dependant,
            key=_cache_key(self.framework, dependant),
            limit=limit and limit.get_semaphore,
        )

    def _param(self, field: Any, place: Place) -> Slot:
        if is_model(field):
            adapter_of(field)
            return self.add("maker", self.makers, parameter_model(self.framework, field, place))
        return self.add("param", self.params, param_of(self.framework, field, place, self.in_path))

    def _specials(self, dependant: Any) -> Inputs:
        if getattr(dependant, "foreign", None):
            raise NotCompiled("it takes an object of another framework's class")
        makers = {
            dependant.http_connection_param_name: request,
            dependant.request_param_name: request,
            dependant.background_tasks_param_name: background(self.framework),
            dependant.response_param_name: response(self.framework),
        }
        inputs = [(name, self.single(maker)) for name, maker in makers.items() if name]
        if dependant.security_scopes_param_name:
            maker = security_scopes(self.framework, _scopes(dependant))
            inputs.append((dependant.security_scopes_param_name, self.add("maker", self.makers, maker)))
        return inputs


def _cache_key(framework: Any, dependant: Any) -> Any:
    scopes = tuple(sorted(set(_scopes(dependant)))) if _uses_scopes(framework, dependant) else ()
    scope = dependant.scope or ("request" if "generator" in kind_of(dependant.call) else "")
    return dependant.call, scopes, scope


def _scopes(dependant: Any) -> list[str]:
    """Give the security scopes of a dependant, its parents' first."""
    return list(dict.fromkeys([*(dependant.parent_oauth_scopes or []), *(dependant.own_oauth_scopes or [])]))


def _uses_scopes(framework: Any, dependant: Any) -> bool:
    return bool(
        dependant.own_oauth_scopes
        or dependant.security_scopes_param_name is not None
        or isinstance(unwrap(dependant.call), framework.SecurityBase)
        or any(_uses_scopes(framework, sub) for sub in dependant.dependencies)
    )


def _encoding(framework: Any, context: Any) -> Encoding | None:
    """Say how Rust writes the result; None where Python has to make the response."""
    response_class = context.response_class
    is_default = isinstance(response_class, framework.DefaultPlaceholder)
    actual = response_class.value if is_default else response_class
    if not framework.is_body_allowed_for_status_code(context.status_code):
        return None
    field = context.response_field
    if actual in framework.TEXT_TYPES and field is None:
        return Encoding(text_type=framework.TEXT_TYPES[actual])
    if field is None:
        return Encoding() if actual is framework.JSONResponse else None
    if not is_default or runs_user_code(adapter_of(field).core_schema):
        return None
    adapter = adapter_of(field)
    said = tuple((name, value) for name, value in serialising(context).items() if value not in (None, False))
    return Encoding(
        validate=adapter.validator.validate_python,
        schema=None if getattr(field, "config", None) else adapter.core_schema,
        to_json=adapter.serializer.to_json,
        options=said if context.response_model_by_alias else (*said, ("by_alias", False)),
    )
