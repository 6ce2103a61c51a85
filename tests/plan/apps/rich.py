"""A FastAPI app with many kinds of routes, as users write them."""

from __future__ import annotations

import asyncio
import contextvars
import datetime
import decimal
import enum
import sys
import threading
import time
import uuid
from typing import Annotated, Any, Literal

import anyio
import anyio.from_thread
from fastapi import (
    APIRouter,
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    FastAPI,
    Header,
    HTTPException,
    Path,
    Query,
    Request,
    Response,
    Security,
)
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, StreamingResponse
from fastapi.security import OAuth2PasswordBearer, SecurityScopes
from pydantic import AliasChoices, BaseModel, Field, field_validator

app = FastAPI()
log: list[str] = []
mood: contextvars.ContextVar[str] = contextvars.ContextVar("mood", default="calm")


class Colour(str, enum.Enum):
    red = "red"
    green = "green"


class Item(BaseModel):
    name: str = Field(max_length=20)
    price: float = Field(gt=0)
    tags: set[str] = set()
    born: datetime.date | None = None


class Money(BaseModel):
    amount: decimal.Decimal
    lasts: datetime.timedelta


class Checked(BaseModel):
    value: int

    @field_validator("value")
    @classmethod
    def even(cls, value: int) -> int:
        log.append(f"checked {value}")
        if value % 2:
            raise ValueError("odd")
        return value


class Filters(BaseModel):
    model_config = {"extra": "forbid"}
    limit: int = Field(10, le=100)
    order: Literal["up", "down"] = "up"
    tags: list[str] = []


@app.get("/")
async def root() -> Any:
    return {"ä": 'ö\n"\\\x01', "f": [1.0, 1e16, 1e-7, -0.0], "n": None, "t": (True, 2**40), "e": {}}


@app.get("/bare")
async def bare():
    return {"ä": 'ö\n"\\\x01\x7f/', "f": [1.0, 1e16, 1e-7, -0.0, 1 / 3], "n": None, "t": (True, 2**70), "e": {}}


@app.get("/bare-small")
async def bare_small():
    return {"ok": True}


@app.get("/bare-nan")
async def bare_nan():
    return [float("inf")]


@app.get("/bare-odd")
async def bare_odd():
    return {"at": datetime.datetime(2026, 1, 2, 3), 1: Colour.red, "item": Item(name="a", price=1), "_sa_x": 1}


@app.get("/nan")
async def nan() -> Any:
    return {"value": float("nan")}


@app.get("/odd")
async def odd() -> Any:
    return {"at": datetime.datetime(2026, 1, 2, 3), 1: Colour.red, "id": uuid.UUID(int=5), "_sa_x": 1}


@app.get("/text")
async def text() -> str:
    return "text"


@app.get("/path/{number}/{name:path}")
async def in_path(number: Annotated[int, Path(ge=0)], name: str) -> Any:
    return {"number": number, "name": name}


@app.get("/converted/{number:int}/{ratio:float}/{key}")
async def converted(number: int, ratio: float, key: uuid.UUID) -> Any:
    return [number, ratio, str(key)]


@app.get("/query")
async def in_query(
    q: str,
    n: int = 3,
    ratio: float | None = None,
    flag: bool = False,
    colour: Colour = Colour.red,
    day: datetime.date | None = None,
    tag: Annotated[list[int], Query()] = [],
    other: Annotated[str | None, Query(alias="other-name", min_length=2)] = None,
    either: Annotated[str, Query(validation_alias=AliasChoices("first", "second"))] = "none",
) -> Any:
    return [q, n, ratio, flag, colour, str(day), tag, other, either]


@app.get("/fields")
async def in_fields(
    x_token: Annotated[str | None, Header()] = None,
    x_many: Annotated[list[str] | None, Header()] = None,
    user_agent: Annotated[str | None, Header()] = None,
    session: Annotated[str | None, Cookie()] = None,
    visits: Annotated[int, Cookie()] = 0,
) -> Any:
    return [x_token, x_many, user_agent, session, visits]


@app.get("/filters")
async def filters(given: Annotated[Filters, Query()]) -> Any:
    return given


@app.post("/items")
async def create(item: Item) -> Item:
    return item


@app.post("/items/201", status_code=201, response_model=Item, response_model_exclude_unset=True)
async def create_201(item: Item) -> Any:
    return {**item.model_dump(exclude_unset=True), "secret": 1}


@app.post("/money")
async def money(money: Money) -> Money:
    return money


@app.post("/checked")
async def checked(given: Checked) -> Any:
    return {"value": given.value, "log": log}


@app.post("/optional")
async def optional(item: Item | None = None) -> Any:
    return item


@app.put("/several/{key}")
async def several(key: int, item: Item, other: Annotated[int, Body()] = 1) -> Any:
    return {"key": key, "item": item, "other": other}


@app.post("/embedded")
async def embedded(item: Annotated[Item, Body(embed=True)]) -> Any:
    return item


@app.post("/any")
async def anything(body: Annotated[Any, Body()] = None) -> Any:
    return body


@app.get("/bad-result", response_model=Item)
async def bad_result() -> Any:
    return {"name": "x"}


@app.get("/no-content", status_code=204)
async def no_content() -> None:
    return None


@app.get("/html", response_class=HTMLResponse)
async def html() -> str:
    return "<p>ä</p>"


@app.get("/plain")
async def plain() -> Any:
    return PlainTextResponse("plain", 202, {"x-own": "1"})


@app.get("/redirected")
async def redirected() -> Any:
    return RedirectResponse("/text")


@app.get("/streamed")
async def streamed() -> Any:
    return StreamingResponse(iter(["a", "b"]), media_type="text/plain")


@app.get("/head-of-response")
async def head_of_response(response: Response) -> Any:
    response.headers["x-mine"] = "yes"
    response.set_cookie("a", "b")
    response.status_code = 203
    return {"ok": True}


@app.get("/request/{key}")
async def whole_request(key: str, request: Request) -> Any:
    return [request.url.path, request.path_params, request.scope["route"].path, request.query_params.multi_items()]


async def number(n: int = 1) -> int:
    log.append(f"number {n}")
    return n


def doubled(n: Annotated[int, Depends(number)]) -> int:
    return n * 2


class Paging:
    def __init__(self, skip: int = 0, limit: int = 5) -> None:
        self.skip, self.limit = skip, limit


async def resource(n: Annotated[int, Depends(number)]) -> Any:
    log.append("open")
    try:
        yield n
    except HTTPException as error:
        log.append(f"caught {error.status_code}")
        raise
    finally:
        log.append("close")


def blocking_resource() -> Any:
    log.append("open blocking")
    try:
        yield threading.current_thread() is threading.main_thread()
    finally:
        log.append("close blocking")


@app.get("/two")
async def two(a: Annotated[int, Depends(number)], b: Annotated[int, Depends(doubled)]) -> Any:
    return [a, b]


@app.get("/uncached")
async def uncached(a: Annotated[int, Depends(number)], b: Annotated[int, Depends(number, use_cache=False)]) -> Any:
    return [a, b]


@app.get("/paging")
def paging(page: Annotated[Paging, Depends()]) -> Any:
    return [page.skip, page.limit]


@app.get("/resource")
async def with_resource(
    a: Annotated[int, Depends(resource)], main: Annotated[bool, Depends(blocking_resource)], fail: bool = False
) -> Any:
    if fail:
        raise HTTPException(409, "failed")
    return [a, main]


@app.get("/log")
async def show_log(until: str | None = None) -> Any:
    # Background tasks run, and what yields is closed, after the response: the next request may come earlier.
    while until is not None and until not in log:
        await asyncio.sleep(0.001)
    while any(log.count(f"open{what}") != log.count(f"close{what}") for what in ("", " blocking")):
        await asyncio.sleep(0.001)
    shown = list(log)
    log.clear()
    return shown


bearer = OAuth2PasswordBearer("token", scopes={"read": "reads"})


async def user(scopes: SecurityScopes, token: Annotated[str, Depends(bearer)]) -> Any:
    return [scopes.scopes, token]


@app.get("/secure")
async def secure(who: Annotated[Any, Security(user, scopes=["read"])]) -> Any:
    return who


@app.post("/background")
async def background(tasks: BackgroundTasks) -> Any:
    mood.set("busy")
    tasks.add_task(lambda: log.append(f"background {mood.get()}"))
    return {"queued": True}


class Teapot(Exception):
    pass


@app.exception_handler(Teapot)
async def teapot(request: Request, error: Exception) -> Any:
    return JSONResponse({"path": request.url.path, "mood": mood.get(), "body": (await request.body()).decode()}, 418)


@app.get("/teapot")
async def raise_teapot() -> Any:
    mood.set("angry")
    raise Teapot


@app.post("/teapot")
async def raise_teapot_with_body(item: Item) -> Any:
    raise Teapot


@app.get("/forbidden")
async def forbidden() -> Any:
    raise HTTPException(403, {"why": "because"}, {"x-why": "because"})


@app.get("/broken")
async def broken() -> Any:
    raise RuntimeError("broken")


@app.get("/mood")
async def show_mood() -> Any:
    return mood.get()


@app.get("/sync")
def sync(n: int = 1) -> Any:
    return [n, threading.current_thread() is threading.main_thread(), anyio.from_thread.run(anyio.sleep, 0) is None]


@app.get("/async")
async def asynchronous() -> Any:
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        task = group.create_task(asyncio.sleep(0, "slept"))
    async with anyio.create_task_group() as anyio_group:
        anyio_group.start_soon(anyio.sleep, 0)
    with anyio.move_on_after(0.001) as scope:
        await anyio.sleep(5)
    current = asyncio.current_task()
    return [task.result(), scope.cancelled_caught, current is not None and current in asyncio.all_tasks()]


hundred = asyncio.Barrier(100)


@app.get("/slow")
async def slow() -> Any:
    await hundred.wait()
    return "slept"


router = APIRouter(prefix="/nested", dependencies=[Depends(number)])


@router.get("/{key}")
async def nested(key: int) -> Any:
    return {"key": key}


app.include_router(router, prefix="/api")


@app.get("/order/{key}")
async def order_first(key: str) -> Any:
    return ["first", key]


@app.get("/order/me")
async def order_second() -> Any:
    return ["second"]


@app.post("/order/me")
async def order_posted() -> Any:
    return ["posted"]


@app.api_route("/methods", methods=["GET", "HEAD", "OPTIONS"])
async def methods(request: Request) -> Any:
    return request.method


@app.get("/slash/")
async def slash() -> Any:
    return "slash"


sub = FastAPI()


@sub.get("/inner/{key}")
async def inner(key: int, request: Request) -> Any:
    return [key, request.scope["root_path"]]


app.mount("/sub", sub)


@app.post("/override/{number_value}")
async def override(number_value: int) -> Any:
    app.dependency_overrides[number] = lambda: number_value
    return number_value


@app.delete("/override")
async def end_override() -> Any:
    app.dependency_overrides.clear()
    return None


@app.post("/routes/{name}")
async def add_route(name: str) -> Any:
    @app.get(f"/added/{name}")
    async def added() -> Any:
        return name

    return name


frames: list[str] = []


@app.get("/frames/start")
async def start_frames() -> Any:
    def note(frame: Any, event: str, _argument: Any) -> None:
        if event == "call":
            frames.append(f"{frame.f_code.co_filename}:{frame.f_code.co_name}")

    frames.clear()
    sys.setprofile(note)
    return None


@app.get("/frames")
async def show_frames() -> Any:
    sys.setprofile(None)
    return frames


@app.get("/clock")
async def clock() -> Any:
    return time.monotonic() > 0
