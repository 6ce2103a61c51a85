"""One application for two frameworks: what FastAPI answers is what ours has to answer."""

from __future__ import annotations

import asyncio
import inspect
import uuid
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

if TYPE_CHECKING:
    from types import SimpleNamespace


class Maker(BaseModel):
    name: str
    since: int = 1900


class Item(BaseModel):
    name: str
    price: float
    tags: list[str] = []
    maker: Maker | None = None


class Public(BaseModel):
    name: str


class Secret(Public):
    password: str = "hidden"


def build(app: Any, kit: SimpleNamespace) -> Any:
    """Register everything on ``app``; ``kit`` has the framework's own classes."""
    register_results(app)
    register_parameters(app)
    register_bodies(app)
    register_responses(app, kit)
    register_faults(app, kit)
    register_background(app, kit)
    register_routing(app)

    async def request_view(request):
        return {
            "method": request.method,
            "params": dict(request.path_params),
            "query": dict(request.query_params),
            "header": request.headers.get("X-Test"),
            "body": (await request.body()).decode(),
        }

    request_view.__annotations__["request"] = kit.Request
    app.post("/request/{a}/{b:int}")(request_view)
    return app


def register_results(app: Any) -> None:
    values = {
        "dict": {"message": "ä", "nested": {"a": [1, 2.5, None, True]}},
        "list": [1, "two", {"three": 3}],
        "str": "text",
        "int": 42,
        "float": 1.5,
        "true": True,
        "none": None,
        "tuple": (1, 2),
        "set": {7},
        "model": Item(name="a", price=1.0),
        "models": [Item(name="a", price=1.0), Item(name="b", price=2.0)],
        "uuid": {"id": uuid.UUID(int=1)},
        "int-keys": {1: "one"},
        "empty": {},
    }
    for name, value in values.items():

        async def task(value=value):
            return value

        def thread(value=value):
            return value

        # The default would be a query parameter.
        task.__signature__ = thread.__signature__ = inspect.Signature()
        app.get(f"/results/task/{name}")(task)
        app.get(f"/results/thread/{name}")(thread)

    @app.get("/results/filtered")
    async def filtered() -> Public:
        return Secret(name="a")

    @app.get("/results/filtered-list")
    async def filtered_list() -> list[Public]:
        return [Secret(name="a")]

    @app.get("/results/mapping")
    async def mapping() -> dict[str, int]:
        return {"a": 1}

    @app.get("/results/from-dict")
    async def from_dict() -> Item:
        return {"name": "a", "price": "2"}  # type: ignore[return-value]

    @app.get("/results/unfit")
    async def unfit() -> Item:
        return {"name": "a"}  # type: ignore[return-value]

    @app.get("/results/suspended")
    async def suspended():
        await asyncio.sleep(0)
        return {"suspended": True}

    @app.post("/results/created", status_code=201)
    async def created():
        return {"id": 1}

    @app.delete("/results/gone", status_code=204)
    async def gone():
        return None


def register_parameters(app: Any) -> None:
    @app.get("/path/plain/{value}")
    async def plain(value):
        return {"value": value, "type": type(value).__name__}

    @app.get("/path/str/{value}")
    async def path_str(value: str):
        return {"value": value}

    @app.get("/path/int/{value}")
    async def path_int(value: int):
        return {"value": value}

    @app.get("/path/float/{value}")
    async def path_float(value: float):
        return {"value": value}

    @app.get("/path/bool/{value}")
    async def path_bool(value: bool):
        return {"value": value}

    @app.get("/path/uuid/{value}")
    async def path_uuid(value: uuid.UUID):
        return {"value": value}

    @app.get("/path/rest/{value:path}")
    async def rest(value: str):
        return {"value": value}

    @app.get("/path/converted/{number:int}/{ratio:float}")
    async def converted(number: int, ratio: float):
        return {"number": number, "ratio": ratio}

    @app.get("/path/beside/{name}.{suffix}")
    async def beside(name: str, suffix: str):
        return {"name": name, "suffix": suffix}

    @app.get("/path/swapped/{first}/{second}")
    async def swapped(second: int, first: int):
        return {"first": first, "second": second}

    @app.get("/items/{item_id}")
    async def item(item_id: int, q: str, limit: int = 100, short: bool | None = None, ratio: float = 0.5):
        return {"item_id": item_id, "q": q, "limit": limit, "short": short, "ratio": ratio}

    @app.get("/query/unannotated")
    async def unannotated(q=None, r="x"):
        return {"q": q, "r": r}

    @app.get("/query/uuid")
    async def query_uuid(value: uuid.UUID | None = None):
        return {"value": value}


def register_bodies(app: Any) -> None:
    @app.post("/body/model")
    async def model(item: Item):
        return item

    @app.put("/body/model/{item_id}")
    def model_and_path(item_id: int, item: Item, q: str | None = None):
        return {"item_id": item_id, "item": item, "q": q}

    @app.post("/body/dict")
    async def anything(data: dict):
        return {"data": data}

    @app.post("/body/typed-dict")
    async def typed_dict(data: dict[str, int]):
        return data

    @app.post("/body/list")
    async def items(data: list[Item]):
        return len(data)

    @app.patch("/body/optional")
    async def optional(item: Item | None = None):
        return {"item": item}


def register_responses(app: Any, kit: SimpleNamespace) -> None:
    @app.get("/responses/text")
    async def text():
        return kit.PlainTextResponse("ä", status_code=202, headers={"X-Custom": "yes"})

    @app.get("/responses/html")
    def html():
        return kit.HTMLResponse("<p>ä</p>")

    @app.get("/responses/json")
    async def json():
        return kit.JSONResponse({"a": "ä", "b": [1.5]}, status_code=400)

    @app.get("/responses/bytes")
    async def raw():
        return kit.Response(b"\x00\xff", media_type="application/octet-stream")

    @app.get("/responses/empty")
    async def empty():
        return kit.Response(status_code=204)

    @app.get("/responses/redirect")
    async def redirect():
        return kit.RedirectResponse("/elsewhere?a=ä b")

    @app.get("/responses/cookies")
    async def cookies():
        response = kit.PlainTextResponse("")
        response.set_cookie("a", "1", max_age=60, secure=True, httponly=True, samesite="strict")
        response.set_cookie("b", "two words", domain="example.com")
        response.delete_cookie("c")
        response.headers["X-Late"] = "1"
        return response

    @app.get("/responses/class", response_class=kit.PlainTextResponse)
    async def by_class():
        return "plain"

    @app.get("/responses/stream")
    async def stream():
        async def pieces():
            for number in range(3):
                yield f"{number}\n"
                await asyncio.sleep(0)

        return kit.StreamingResponse(pieces(), media_type="text/plain")

    @app.get("/responses/iterator")
    async def iterator():
        return kit.StreamingResponse((b"a", b"b"), media_type="application/x-parts")


def register_faults(app: Any, kit: SimpleNamespace) -> None:
    @app.get("/raises/http")
    async def http():
        raise kit.HTTPException(418, "short", headers={"X-Pot": "tea"})

    @app.get("/raises/http-default")
    def http_default():
        raise kit.HTTPException(status_code=404)

    @app.get("/raises/http-detail")
    def http_detail():
        raise kit.HTTPException(409, detail={"reason": ["a", 1]})

    @app.get("/raises/http-bodiless")
    async def http_bodiless():
        raise kit.HTTPException(304)

    @app.get("/raises/fault")
    async def fault():
        raise ValueError("secret")

    @app.get("/raises/fault-in-thread")
    def fault_in_thread():
        raise ValueError("secret")

    @app.get("/raises/unserialisable")
    async def unserialisable():
        return {"value": object.__new__(type("Slotted", (), {"__slots__": ("x",)}))}


def register_background(app: Any, kit: SimpleNamespace) -> None:
    done: list[str] = []

    def note(text: str, times: int = 1) -> None:
        done.extend([text] * times)

    async def note_later(text: str) -> None:
        await asyncio.sleep(0)
        done.append(text)

    async def with_list(tasks, name: str):
        tasks.add_task(note, name, times=2)
        tasks.add_task(note_later, "later")
        return {"name": name}

    async def without_use(tasks):
        return "nothing to do"

    with_list.__annotations__["tasks"] = without_use.__annotations__["tasks"] = kit.BackgroundTasks
    app.post("/background/list")(with_list)
    app.post("/background/nothing")(without_use)

    @app.post("/background/task")
    def with_task():
        return kit.PlainTextResponse("x", background=kit.BackgroundTask(note, "task"))

    @app.post("/background/stream")
    def with_stream():
        return kit.StreamingResponse(iter("abc"), background=kit.BackgroundTask(note_later, "stream"))

    @app.get("/background")
    async def background(count: int):
        while len(done) < count:  # noqa: ASYNC110 - what fills the list may be a thread
            await asyncio.sleep(0.001)
        texts = list(done)
        done.clear()
        return texts


def register_routing(app: Any) -> None:
    def handler(answer: str):
        async def endpoint():
            return answer

        return endpoint

    app.get("/order/{name}")(handler("parameter first"))
    app.get("/order/me")(handler("never"))
    app.get("/static/me")(handler("static first"))
    app.get("/static/{name}")(handler("parameter"))
    app.get("/two/{a}")(handler("a"))
    app.post("/two/{b}")(handler("b"))
    app.get("/slash")(handler("slash"))
    app.get("/slashed/")(handler("slashed"))
    app.post("/only-post")(handler("post"))
    app.get("/methods")(handler("get"))
    app.put("/methods")(handler("put"))
    app.head("/explicit-head")(handler("head"))
    app.options("/explicit-options")(handler("options"))
    app.get("/typed/{n:int}")(handler("int"))
    app.get("/typed/{s}")(handler("str"))
    app.get("/{deep}/x/{deeper}")(handler("deep"))
