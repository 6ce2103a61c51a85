"""Everything that is wrong with a route is said when it is registered, with the handler's file and line."""

from __future__ import annotations

import functools
import inspect
import typing
from datetime import datetime  # noqa: TC003 - read by what is tested
from typing import Annotated

import pytest
from pydantic import BaseModel, Field

from data_bridge import App, BackgroundTasks, Depends, Header, Path, Query, Request
from data_bridge.exceptions import RouteError
from data_bridge.responses import StreamingResponse  # noqa: TC001 - read by what is tested


class Item(BaseModel):
    name: str


def positional(a, /): ...
def variadic(*a): ...
def keywords(**a): ...
def default_in_path(item_id: int = 1): ...
def aliased(q: Annotated[int, Field(alias="r")]): ...
def twice_marked(q: Annotated[int, Query(), Header()]): ...
def marked_path(q: Annotated[int, Path()]): ...
def depends_on_nothing(q: Annotated[int | None, Depends()]): ...
def depends_on_a_number(q=Depends(3)): ...  # noqa: B008 - as users write it
def depends_on_itself(q: "Annotated[int, Depends(depends_on_itself)]"): ...  # noqa: UP037
def depends_on_a_generator(q: "Annotated[int, Depends(generator)]"): ...  # noqa: UP037
def has_a_body(a: Item): ...
def body_there_and_here(x: Annotated[int, Depends(has_a_body)], b: Item): ...
def when(q: datetime): ...
def choice(q: typing.Literal["a", "b"]): ...
def either(q: int | str): ...
def two_bodies(a: Item, b: Item): ...
def two_requests(a: Request, b: Request): ...
def two_lists(a: BackgroundTasks, b: BackgroundTasks): ...
def strange_default(q: str = object()): ...
def model_in_path(item_id: Item): ...
def generator():
    yield 1


async def async_generator():
    yield 1


async def coroutine(): ...
def unknown_name(q: "Nowhere"): ...  # noqa: F821, UP037
def no_schema(data: dict[str, object.__class__]): ...


REFUSED = [
    ("/", positional, {}, "cannot be passed by name"),
    ("/", variadic, {}, "cannot be passed by name"),
    ("/", keywords, {}, "cannot be passed by name"),
    ("/{item_id}", default_in_path, {}, "cannot have a default"),
    ("/", aliased, {}, "has a Field with an alias or a default"),
    ("/", twice_marked, {}, "more than one marker"),
    ("/", marked_path, {}, "path parameter 'q' is not in the path"),
    ("/", depends_on_nothing, {}, "'q' depends on nothing, and its type is no class"),
    ("/", depends_on_a_number, {}, "'q' depends on 3, which is not callable"),
    ("/", depends_on_itself, {}, "'q' depends on itself"),
    ("/", depends_on_a_generator, {}, "depends on a generator"),
    ("/", body_there_and_here, {}, "both 'a' and 'b' are the body"),
    ("/", when, {}, "'q' is datetime, which App does not read yet (A7)"),
    ("/", choice, {}, "Literal"),
    ("/", either, {}, "int | str"),
    ("/", two_bodies, {}, "both 'a' and 'b' are the body"),
    ("/", two_requests, {}, "both 'a' and 'b' are the request"),
    ("/", two_lists, {}, "both 'a' and 'b' are the list of background tasks"),
    ("/", strange_default, {}, "the default of 'q'"),
    ("/{item_id}", model_in_path, {}, "path parameter 'item_id' is Item"),
    ("/", generator, {}, "cannot be a generator"),
    ("/", async_generator, {}, "cannot be a generator"),
    ("/", coroutine, {"inline": True}, "inline=True is for `def` handlers"),
    ("/", coroutine, {"status_code": 99}, "not a final status"),
    ("/", coroutine, {"dependencies": []}, "unknown option 'dependencies'"),
    ("/", unknown_name, {}, "'Nowhere' is not defined"),
    ("relative", coroutine, {}, "must start with '/'"),
    ("/{a", coroutine, {}, "braces"),
    ("/{a:regex}", coroutine, {}, "unknown path converter"),
    ("/{a}/{a}", coroutine, {}, "appears twice"),
    ("/{1}", coroutine, {}, "no parameter name"),
]


@pytest.mark.parametrize(("path", "endpoint", "options", "problem"), REFUSED)
def test_a_route_that_cannot_work_is_refused(path, endpoint, options, problem):
    app = App()
    with pytest.raises(RouteError) as refusal:
        app.get(path, **options)(endpoint)
    line = inspect.getsourcelines(endpoint)[1]
    assert str(refusal.value).startswith(f"{__file__}:{line}: GET {path}: ")
    assert problem in str(refusal.value)
    assert app.routes == []


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


def test_the_plan_says_what_was_found():
    app = App()

    @app.route("/{b}/{a:int}", ["get", "PROPFIND", "GET"], name="named")
    def endpoint(q: str, a: int, b, data: Item | None = None, *, request: Request): ...

    (operation,) = app.routes
    handler = operation.route
    assert operation.methods == ("GET", "PROPFIND")
    assert handler.name == "named"
    assert operation.direct.mode == "thread"
    assert [(param.name, param.place, param.scalar, param.required) for param in operation.params] == [
        ("a", "path", "int", True),
        ("b", "path", "str", True),
        ("q", "query", "str", True),
    ]
    assert (handler.body.name, handler.body.required, handler.dependant.request_name) == ("data", False, "request")
    assert operation.direct.inputs == (("a", 0), ("b", 1), ("q", 2), ("data", 3), ("request", 4))


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

    app = App()
    app.get("/{a}")(Callable())
    app.get("/{a}")(Callable().method)
    app.get("/{a}")(functools.partial(handler, b=1))
    app.get("/{a}")(wrapped(handler))
    assert [operation.direct.mode for operation in app.routes] == ["task", "thread", "task", "task"]
    assert [len(operation.params) for operation in app.routes] == [1, 1, 2, 2]


def test_strict_models_are_read_as_python_reads_them():
    class Strict(BaseModel, strict=True):
        when: datetime

    class Lax(BaseModel):
        when: datetime

    def strict(data: Strict): ...
    def lax(data: Lax): ...

    # The names are local; FastAPI does not find them either when they are written as text.
    strict.__annotations__["data"], lax.__annotations__["data"] = Strict, Lax
    app = App()
    app.post("/strict")(strict)
    app.post("/lax")(lax)
    assert [inspect.isfunction(operation.accept) for operation in app.routes] == [True, False]


def test_a_decorator_gives_the_handler_back():
    assert App().get("/")(coroutine) is coroutine


def test_response_annotations_need_no_schema():
    app = App()

    async def stream() -> StreamingResponse: ...

    app.get("/")(stream)
    assert app.routes[0].route.adapter is None
