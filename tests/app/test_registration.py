"""What is wrong with a route is said when it is registered, with the endpoint's file and line."""

from __future__ import annotations

import functools
import inspect
from typing import Annotated

import pytest
from pydantic import BaseModel

from data_bridge import App, Depends, Header, Query, Request
from data_bridge.adapters.serve import explain
from data_bridge.exceptions import RouteError
from data_bridge.responses import StreamingResponse  # noqa: TC001 - read by what is tested


class Item(BaseModel):
    name: str


def positional(a, /): ...
def two_defaults(q: Annotated[int, Query(1)] = 2): ...
def header_in_path(item_id: Annotated[int, Header()]): ...
def model_in_path(item_id: Item): ...
def default_in_path(item_id: Annotated[int, Query()] = 1): ...
def depends_on_a_number(q=Depends(3)): ...  # noqa: B008 - as users write it
def no_schema(data: dict[str, object.__class__]): ...
async def coroutine(): ...


REFUSED = [
    ("/", positional, {}, "'a' cannot be passed by name"),
    ("/", two_defaults, {}, "default value cannot be set in `Annotated` for 'q'"),
    ("/{item_id}", header_in_path, {}, "Cannot use `Header` for path param 'item_id'"),
    ("/{item_id}", model_in_path, {}, "Path params must be of one of the supported types"),
    ("/{item_id}", default_in_path, {}, "Path parameters cannot have default values"),
    ("/", coroutine, {"inline": True}, "inline=True is for `def` endpoints"),
    ("/", coroutine, {"timeout": 0}, "timeout= must be positive seconds"),
    ("/", coroutine, {"on_disconnect": "wait"}, "on_disconnect= must be 'cancel' or 'ignore'"),
    ("/", coroutine, {"status_code": 204, "response_model": Item}, "must not have a response body"),
    ("/", coroutine, {"response_model": Request}, "Invalid args for response field!"),
]


@pytest.mark.parametrize(("path", "endpoint", "options", "problem"), REFUSED)
def test_a_route_that_cannot_work_is_refused(path, endpoint, options, problem):
    app = App(openapi_url=None)
    with pytest.raises(RouteError) as refusal:
        app.get(path, **options)(endpoint)
    line = inspect.getsourcelines(endpoint)[1]
    assert str(refusal.value).startswith(f"{__file__}:{line}: ")
    assert problem in str(refusal.value)
    assert app.routes == []


def test_what_is_wrong_in_another_way_is_noted():
    with pytest.raises(TypeError) as refusal:
        App().get("/")(depends_on_a_number)
    line = inspect.getsourcelines(depends_on_a_number)[1]
    assert refusal.value.__notes__ == [f"in the route of the endpoint at {__file__}:{line}"]


def test_an_unknown_option_is_refused():
    with pytest.raises(TypeError, match="no option 'response_mode'"):
        App().get("/", response_mode=None)(coroutine)


def test_a_method_has_to_be_a_token():
    with pytest.raises(RouteError, match="no HTTP method"):
        App().route("/", ["GE T"])(coroutine)


@pytest.mark.parametrize(
    ("options", "problem"),
    [({"status": 99}, "final status"), ({"headers": {"x": "a\nb"}}, "header"), ({"headers": {"": "a"}}, "header")],
)
def test_a_constant_that_cannot_be_sent_is_refused(options, problem):
    with pytest.raises(RouteError, match=problem):
        App().native("/", "x", **options)


def compiled(app):
    return [found.operation for found in explain(app)[0]]


def test_the_plan_says_what_was_found():
    app = App(openapi_url=None)

    @app.route("/{b}/{a:int}", ["get", "PROPFIND", "GET"], name="named", timeout=2.0, on_disconnect="ignore")
    def endpoint(q: str, a: int, b, data: Item | None = None): ...

    (operation,) = compiled(app)
    assert operation.methods == ("GET", "PROPFIND")
    assert operation.direct is None  # The body may be absent: Python reads it.
    (step,) = operation.steps
    assert step.mode == "thread"
    assert [(param.name, param.place, param.scalar, param.required) for param in operation.params] == [
        ("a", "path", "int", True),
        ("b", "path", "unknown", True),
        ("q", "query", "str", True),
    ]
    assert step.inputs == (("a", 0), ("b", 1), ("q", 2), ("data", 3))
    assert (operation.timeout, operation.on_disconnect) == (2.0, "ignore")


def test_what_is_callable_may_be_an_endpoint():
    class Callable:
        async def __call__(self, a: int):
            return a

        def method(self, a: int):
            return a

    def wrapped(handler):
        @functools.wraps(handler)
        def wrapper(**arguments):
            return handler(**arguments)

        return wrapper

    async def handler(a: int, b: int):
        return a + b

    app = App(openapi_url=None)
    app.get("/{a}")(Callable())
    app.get("/{a}")(Callable().method)
    app.get("/{a}")(functools.partial(handler, b=1))
    app.get("/{a}")(wrapped(handler))
    operations = compiled(app)
    assert [operation.direct.mode for operation in operations] == ["task", "thread", "task", "task"]
    assert [len(operation.params) for operation in operations] == [1, 1, 2, 2]


def test_a_decorator_gives_the_endpoint_back():
    assert App().get("/")(coroutine) is coroutine


def test_response_annotations_need_no_schema():
    app = App(openapi_url=None)

    async def stream() -> StreamingResponse: ...

    app.get("/")(stream)
    assert app.routes[0].response_field is None
