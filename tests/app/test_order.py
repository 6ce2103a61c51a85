"""The rules of docs/design/0022, a test each, on our App and on FastAPI: the order of what happens to a request."""

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from tests.app.both import BOTH

DOCUMENT = Path(__file__).parents[2] / "docs/design/0022-order-of-a-request.md"
JSON = {"content-type": "application/json"}


@pytest.fixture(**BOTH)
def f(request: pytest.FixtureRequest) -> SimpleNamespace:
    return request.param()


@pytest.fixture
def log() -> list[str]:
    return []


def ask(
    app: Any,
    log: list[str],
    path: str = "/",
    method: str = "GET",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """One request by ASGI. What is sent is noted in the log among what the app notes there."""
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in {"host": "test", **(headers or {})}.items()],
        "client": ("test", 1),
        "server": ("test", 80),
    }
    incoming = [{"type": "http.request", "body": body, "more_body": False}]
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if incoming:
            log.append("received")
            return incoming.pop()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)
        if message["type"] == "http.response.start":
            log.append(f"sent {message['status']}")
        elif not message.get("more_body"):
            log.append("sent body")

    asyncio.run(app(scope, receive, send))
    start = messages[0]
    names = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], names, b"".join(message.get("body", b"") for message in messages[1:])


def note(log: list[str], name: str, *, fails: Callable[[], Exception] | None = None) -> Callable[[], str]:
    """A dependency or endpoint that says that it ran."""

    def noted() -> str:
        log.append(name)
        if fails:
            raise fails()
        return name

    return noted


def around(log: list[str], name: str) -> Callable[[], Iterator[str]]:
    """A dependency with a part after its ``yield``."""

    def noted() -> Iterator[str]:
        log.append(f"{name} begins")
        try:
            yield name
        except Exception as error:
            log.append(f"{name} sees {type(error).__name__}")
            raise
        finally:
            log.append(f"{name} ends")

    return noted


class Noting:
    """A middleware that says when a request comes and goes."""

    def __init__(self, app: Any, log: list[str], name: str) -> None:
        self.app, self.log, self.name = app, log, name

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.log.append(f"into {self.name}")
        try:
            await self.app(scope, receive, send)
        finally:
            self.log.append(f"out of {self.name}")


def test_a1_middleware_added_last_comes_first(f: Any, log: list[str]) -> None:
    app = f.FastAPI()
    app.add_middleware(Noting, log=log, name="first")
    app.add_middleware(Noting, log=log, name="last")
    app.get("/")(note(log, "endpoint"))
    ask(app, log)
    assert log == ["into last", "into first", "endpoint", "sent 200", "sent body", "out of first", "out of last"]


def test_a2_middleware_sees_what_no_route_answers(f: Any, log: list[str]) -> None:
    app = f.FastAPI()
    app.add_middleware(Noting, log=log, name="middleware")
    assert ask(app, log, "/nowhere")[0] == 404
    assert log == ["into middleware", "sent 404", "sent body", "out of middleware"]


def test_a3_an_exception_without_handler_passes_through_all_middleware(f: Any, log: list[str]) -> None:
    app = f.FastAPI()
    app.add_middleware(Noting, log=log, name="middleware")
    app.get("/")(note(log, "endpoint", fails=ValueError))
    with pytest.raises(ValueError, match="^$"):
        ask(app, log)
    assert log == ["into middleware", "endpoint", "out of middleware", "sent 500", "sent body"]


def test_a4_middleware_cannot_be_added_once_a_request_was_served(f: Any, log: list[str]) -> None:
    app = f.FastAPI()
    ask(app, log)
    with pytest.raises(RuntimeError, match="Cannot add middleware after an application has started"):
        app.add_middleware(Noting, log=log, name="late")


def test_b1_the_first_route_that_fits_answers(f: Any, log: list[str]) -> None:
    app = f.FastAPI()
    app.get("/items/{name}")(note(log, "by name"))
    app.get("/items/me")(note(log, "me"))
    ask(app, log, "/items/me")
    assert log[0] == "by name"


def test_b2_a_later_route_with_the_method_beats_an_earlier_one_without(f: Any, log: list[str]) -> None:
    app = f.FastAPI()
    app.post("/items/{name}")(note(log, "post"))
    app.get("/items/me")(note(log, "get"))
    ask(app, log, "/items/me")
    assert log[0] == "get"


def test_b3_without_the_method_405_names_those_of_the_first_route(f: Any, log: list[str]) -> None:
    app = f.FastAPI()
    app.post("/x")(note(log, "post"))
    app.put("/x")(note(log, "put"))
    status, headers, body = ask(app, log, "/x", "DELETE")
    assert (status, headers["allow"], body) == (405, "POST", b'{"detail":"Method Not Allowed"}')


def test_b4_a_slash_too_many_or_too_few_is_redirected(f: Any, log: list[str]) -> None:
    app = f.FastAPI()
    app.get("/with/")(note(log, "with"))
    app.get("/without")(note(log, "without"))
    status, headers, _ = ask(app, log, "/with?q=1")
    assert (status, headers["location"]) == (307, "http://test/with/?q=1")
    status, headers, _ = ask(app, log, "/without/")
    assert (status, headers["location"]) == (307, "http://test/without")
    assert ask(app, log, "/with", "POST")[0] == 307


def test_b5_a_mounted_app_answers_below_its_path_in_its_turn(f: Any, log: list[str]) -> None:
    inner, app = f.FastAPI(), f.FastAPI()
    inner.get("/x")(note(log, "mounted"))
    app.get("/sub/early")(note(log, "early"))
    app.mount("/sub", inner)
    app.get("/sub/late")(note(log, "late"))
    assert [ask(app, log, path)[0] for path in ("/sub/early", "/sub/x", "/sub/late")] == [200, 200, 404]
    assert [entry for entry in log if not entry.startswith("sent")] == ["early", "mounted"]


def test_c1_the_body_is_read_before_anything_of_the_user_runs(f: Any, log: list[str]) -> None:
    app = f.FastAPI()

    @app.post("/", dependencies=[f.Depends(note(log, "dependency"))])
    def endpoint(value: Annotated[dict, f.Body()]) -> None:
        log.append(f"endpoint {value}")

    ask(app, log, method="POST", body=b'{"a":1}', headers=JSON)
    assert log[:3] == ["received", "dependency", "endpoint {'a': 1}"]


def test_c2_a_route_without_body_does_not_wait_for_it(f: Any, log: list[str]) -> None:
    app = f.FastAPI()
    app.post("/")(note(log, "endpoint"))
    ask(app, log, method="POST", body=b"{", headers=JSON)
    assert log == ["endpoint", "sent 200", "sent body"]


def test_c3_what_is_no_json_is_422_before_any_dependency(f: Any, log: list[str]) -> None:
    app = f.FastAPI()

    @app.post("/", dependencies=[f.Depends(note(log, "dependency"))])
    def endpoint(value: Annotated[dict, f.Body()]) -> None: ...

    status, _, body = ask(app, log, method="POST", body=b"{", headers=JSON)
    assert (status, log) == (422, ["received", "sent 422", "sent body"])
    assert b'"type":"json_invalid","loc":["body",1]' in body


def test_c4_json_is_what_the_content_type_says(f: Any, log: list[str]) -> None:
    app = f.FastAPI()

    @app.post("/")
    def endpoint(value: Annotated[dict, f.Body()]) -> dict:
        return value

    def status(content_type: str | None) -> int:
        headers = {} if content_type is None else {"content-type": content_type}
        return ask(app, log, method="POST", body=b"{}", headers=headers)[0]

    kinds = ("application/json", "application/geo+json; charset=utf-8", "text/plain", None)
    assert [status(kind) for kind in kinds] == [200, 200, 422, 422]


def test_d1_dependencies_run_app_first_then_router_then_route_then_parameters(f: Any, log: list[str]) -> None:
    app = f.FastAPI(dependencies=[f.Depends(note(log, "app"))])
    router = f.APIRouter(dependencies=[f.Depends(note(log, "router"))])

    @router.get("/", dependencies=[f.Depends(note(log, "route"))])
    def endpoint(
        one: Annotated[str, f.Depends(note(log, "one"))], two: Annotated[str, f.Depends(note(log, "two"))]
    ) -> None:
        log.append("endpoint")

    app.include_router(router, dependencies=[f.Depends(note(log, "inclusion"))])
    ask(app, log)
    assert log[:7] == ["app", "inclusion", "router", "route", "one", "two", "endpoint"]


def test_d2_what_a_dependency_needs_runs_before_it_and_once_a_request(f: Any, log: list[str]) -> None:
    app = f.FastAPI()
    shared = note(log, "shared")

    def first(value: Annotated[str, f.Depends(shared)]) -> None:
        log.append("first")

    def second(value: Annotated[str, f.Depends(shared)]) -> None:
        log.append("second")

    @app.get("/")
    def endpoint(
        a: Annotated[None, f.Depends(first)],
        b: Annotated[None, f.Depends(second)],
        c: Annotated[str, f.Depends(shared, use_cache=False)],
    ) -> None: ...

    ask(app, log)
    assert log[:4] == ["shared", "first", "second", "shared"]


def test_d3_a_dependency_that_raises_ends_the_request(f: Any, log: list[str]) -> None:
    app = f.FastAPI()
    refusing = note(log, "refusing", fails=lambda: f.HTTPException(403))

    @app.get("/", dependencies=[f.Depends(refusing), f.Depends(note(log, "next"))])
    def endpoint(number: int) -> None: ...

    assert ask(app, log, "/?number=x")[0] == 403
    assert log[0] == "refusing"
    assert "next" not in log


def test_d4_all_that_does_not_fit_is_told_at_once(f: Any, log: list[str]) -> None:
    app = f.FastAPI()

    def dependency(inner: int) -> None:
        log.append("dependency")

    @app.post("/{path}", dependencies=[f.Depends(dependency), f.Depends(note(log, "other"))])
    def endpoint(path: int, query: int, body: Annotated[dict, f.Body()]) -> None:
        log.append("endpoint")

    status, _, answer = ask(app, log, "/x?inner=y&query=z", "POST", b"1", JSON)
    assert status == 422
    places = re.findall(rb'"loc":\[(.*?)\]', answer)
    assert places == [b'"query","inner"', b'"path","path"', b'"query","query"', b'"body"']
    assert log == ["received", "other", "sent 422", "sent body"]  # a dependency whose own parameters fit does run


def test_d5_an_override_takes_the_place_of_a_dependency_with_parameters_of_its_own(f: Any, log: list[str]) -> None:
    app = f.FastAPI()
    original = note(log, "original")

    def override(q: int) -> int:
        return q

    @app.get("/")
    def endpoint(value: Annotated[Any, f.Depends(original)]) -> Any:
        return value

    app.dependency_overrides[original] = override
    assert ask(app, log, "/?q=7")[2] == b"7"
    assert ask(app, log, "/")[0] == 422
    assert "original" not in log


def test_e1_a_plain_function_runs_on_another_thread_a_coroutine_on_the_loop(f: Any, log: list[str]) -> None:
    import threading

    app = f.FastAPI()

    @app.get("/plain")
    def plain() -> None:
        log.append("loop" if threading.current_thread() is threading.main_thread() else "thread")

    @app.get("/coroutine")
    async def coroutine() -> None:
        log.append("loop" if threading.current_thread() is threading.main_thread() else "thread")

    ask(app, log, "/plain")
    ask(app, log, "/coroutine")
    assert [entry for entry in log if not entry.startswith("sent")] == ["thread", "loop"]


def test_e2_a_response_is_sent_as_it_is_anything_else_is_validated_and_made_json(f: Any, log: list[str]) -> None:
    app = f.FastAPI()

    @app.get("/response")
    def response() -> int:  # type: ignore[return]
        return f.Response("as it is", media_type="text/plain")

    @app.get("/value", status_code=201)
    def value() -> int:
        return "7"  # type: ignore[return-value]

    assert ask(app, log, "/response")[2] == b"as it is"
    status, headers, body = ask(app, log, "/value")
    assert (status, headers["content-type"], body) == (201, "application/json", b"7")


def test_e3_what_is_set_on_the_injected_response_goes_along_with_a_value_only(f: Any, log: list[str]) -> None:
    app = f.FastAPI()

    def dependency(response: f.Response) -> None:
        response.headers["x-dependency"] = "yes"

    @app.get("/value", dependencies=[f.Depends(dependency)])
    def value(response: f.Response) -> int:
        response.status_code = 203
        return 1

    @app.get("/response", dependencies=[f.Depends(dependency)])
    def own() -> f.Response:
        return f.Response()

    status, headers, _ = ask(app, log, "/value")
    assert (status, headers["x-dependency"]) == (203, "yes")
    assert "x-dependency" not in ask(app, log, "/response")[1]


def test_e4_a_result_that_does_not_fit_is_the_servers_fault(f: Any, log: list[str]) -> None:
    app = f.FastAPI()

    @app.get("/")
    def endpoint() -> int:
        return "seven"  # type: ignore[return-value]

    with pytest.raises(Exception, match="validation error") as raised:
        ask(app, log)
    assert type(raised.value).__name__ == "ResponseValidationError"
    assert log == ["sent 500", "sent body"]


def test_e5_statuses_without_a_body_have_none(f: Any, log: list[str]) -> None:
    app = f.FastAPI()

    @app.delete("/", status_code=204)
    def endpoint() -> None: ...

    status, headers, body = ask(app, log, method="DELETE")
    assert (status, body) == (204, b"")
    assert "content-length" not in headers


def test_f1_a_dependency_ends_after_the_response_those_of_scope_function_before(f: Any, log: list[str]) -> None:
    app = f.FastAPI()

    @app.get("/")
    def endpoint(
        a: Annotated[str, f.Depends(around(log, "request"))],
        b: Annotated[str, f.Depends(around(log, "function"), scope="function")],
    ) -> None:
        log.append("endpoint")

    ask(app, log)
    assert log == [
        "request begins",
        "function begins",
        "endpoint",
        "function ends",
        "sent 200",
        "sent body",
        "request ends",
    ]


def test_f2_dependencies_end_in_the_reverse_order(f: Any, log: list[str]) -> None:
    app = f.FastAPI()
    outer, inner = around(log, "outer"), around(log, "inner")
    app.get("/", dependencies=[f.Depends(outer), f.Depends(inner)])(note(log, "endpoint"))
    ask(app, log)
    assert log[-2:] == ["inner ends", "outer ends"]


def test_f3_background_tasks_run_after_the_response_and_before_dependencies_end(f: Any, log: list[str]) -> None:
    app = f.FastAPI()

    @app.get("/", dependencies=[f.Depends(around(log, "dependency"))])
    def endpoint(tasks: f.BackgroundTasks) -> None:
        tasks.add_task(log.append, "task")

    ask(app, log)
    assert log == ["dependency begins", "sent 200", "sent body", "task", "dependency ends"]


def test_f4_a_dependency_sees_the_exception_of_what_it_was_given_to(f: Any, log: list[str]) -> None:
    app = f.FastAPI()
    refusing = note(log, "endpoint", fails=lambda: f.HTTPException(418))
    app.get("/", dependencies=[f.Depends(around(log, "dependency"))])(refusing)
    assert ask(app, log)[0] == 418
    assert log == [
        "dependency begins",
        "endpoint",
        "dependency sees HTTPException",
        "dependency ends",
        "sent 418",
        "sent body",
    ]


def test_f5_after_a_refused_request_what_had_begun_ends(f: Any, log: list[str]) -> None:
    app = f.FastAPI()

    @app.get("/", dependencies=[f.Depends(around(log, "dependency"))])
    def endpoint(number: int) -> None: ...

    assert ask(app, log)[0] == 422
    assert log[:2] == ["dependency begins", "dependency sees RequestValidationError"]


def test_f6_files_of_a_form_are_closed_after_the_response(f: Any, log: list[str]) -> None:
    app = f.FastAPI()
    kept = []

    @app.post("/")
    def endpoint(file: f.UploadFile, tasks: f.BackgroundTasks) -> None:
        kept.append(file)
        tasks.add_task(lambda: log.append(f"task: closed is {file.file.closed}"))

    boundary = {"content-type": "multipart/form-data; boundary=b"}
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\ncontent\r\n--b--\r\n'
    assert ask(app, log, method="POST", body=part, headers=boundary)[0] == 200
    assert log[-1] == "task: closed is False"
    assert kept[0].file.closed


def test_g1_the_handler_of_the_nearest_class_answers(f: Any, log: list[str]) -> None:
    app = f.FastAPI()

    class Base(Exception): ...

    class Derived(Base): ...

    app.add_exception_handler(Base, lambda request, error: f.JSONResponse({"by": "base"}, 400))
    app.add_exception_handler(Derived, lambda request, error: f.JSONResponse({"by": "derived"}, 400))
    app.get("/base")(note(log, "base", fails=Base))
    app.get("/derived")(note(log, "derived", fails=Derived))
    assert [ask(app, log, path)[2] for path in ("/base", "/derived")] == [b'{"by":"base"}', b'{"by":"derived"}']


def test_g2_a_handler_of_a_status_beats_that_of_the_class(f: Any, log: list[str]) -> None:
    app = f.FastAPI()
    app.add_exception_handler(f.HTTPException, lambda request, error: f.JSONResponse("class", error.status_code))
    app.add_exception_handler(404, lambda request, error: f.JSONResponse("status", 404))
    app.get("/")(note(log, "endpoint", fails=lambda: f.HTTPException(409)))
    assert ask(app, log)[2] == b'"class"'
    app.get("/missing")(note(log, "endpoint", fails=lambda: f.HTTPException(404)))
    assert ask(app, log, "/missing")[2] == b'"status"'


def test_g3_the_handler_of_exception_answers_and_the_server_hears_of_it_all_the_same(f: Any, log: list[str]) -> None:
    app = f.FastAPI()
    app.add_exception_handler(Exception, lambda request, error: f.JSONResponse("sorry", 500))
    app.get("/")(note(log, "endpoint", fails=ValueError))
    with pytest.raises(ValueError, match="^$"):
        ask(app, log)
    assert log == ["endpoint", "sent 500", "sent body"]


def test_g4_an_exception_after_the_response_has_begun_changes_nothing_of_it(f: Any, log: list[str]) -> None:
    app = f.FastAPI()

    async def chunks() -> Any:
        yield b"a"
        raise ValueError

    @app.get("/")
    async def endpoint() -> f.Response:
        return f.StreamingResponse(chunks())

    with pytest.raises((ValueError, ExceptionGroup)):
        ask(app, log)
    assert log == ["sent 200"]


def rules() -> set[str]:
    return set(re.findall(r"^\| ([A-Z]\d+) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))


def test_each_rule_of_the_document_is_tested_and_each_test_is_a_rule() -> None:
    tested = {name[5:].split("_")[0].upper() for name in globals() if re.match(r"test_[a-z]\d", name)}
    assert rules() == tested
