"""A FastAPI app that logs each stage of a request, and fails or waits in the stage that the request names."""

from __future__ import annotations

import asyncio
import collections
import contextvars
import os
import time
from typing import Annotated, Any

import anyio
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel
from starlette.background import BackgroundTask

app = FastAPI()
#: What each request has done, by the key that it brought.
logs: dict[str, list[str]] = collections.defaultdict(list)
released: set[str] = set()
user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")
deeper: contextvars.ContextVar[str] = contextvars.ContextVar("deeper", default="nothing")


class Teapot(Exception):
    pass


class Item(BaseModel):
    name: str


class Asked(BaseModel):
    key: str = ""
    at: str = ""
    what: str = ""
    wait: str = ""


Ask = Annotated[Asked, Query()]


@app.exception_handler(Teapot)
async def teapot(request: Request, error: Exception) -> Any:
    logs[request.query_params["key"]].append(f"handler {error}")
    return JSONResponse({"teapot": str(error), "body": (await request.body()).decode()}, 418)


def fail(ask: Asked, stage: str) -> None:
    """Note that the request has come this far, and fail if it is to."""
    logs[ask.key].append(stage)
    if ask.at != stage:
        return
    if ask.what == "http":
        raise HTTPException(409, stage, {"x-stage": stage})
    raise Teapot(stage) if ask.what == "teapot" else RuntimeError(stage)


async def pause(ask: Asked, stage: str) -> None:
    """Wait, if the request is to wait here, until it is released."""
    if ask.wait == stage:
        logs[ask.key].append(f"{stage} waits")
        while ask.key not in released:
            await asyncio.sleep(0.001)


async def outer(ask: Ask) -> Any:
    fail(ask, "outer")
    await pause(ask, "outer")
    try:
        yield "outer"
    except Exception as error:
        logs[ask.key].append(f"outer caught {type(error).__name__}")
        raise
    finally:
        logs[ask.key].append("outer ends")
    fail(ask, "after outer")


def inner(ask: Ask, above: Annotated[str, Depends(outer)]) -> Any:
    fail(ask, "inner")
    if ask.wait == "inner":
        logs[ask.key].append("inner waits")
        while ask.key not in released:
            time.sleep(0.001)
    try:
        yield above + "inner"
    finally:
        logs[ask.key].append("inner ends")
    fail(ask, "after inner")


async def short(ask: Ask) -> Any:
    fail(ask, "short")
    yield "short"
    logs[ask.key].append("short ends")
    fail(ask, "after short")


async def finish(ask: Asked) -> None:
    await pause(ask, "background")
    fail(ask, "background")
    logs[ask.key].append("over")


Inner = Annotated[str, Depends(inner)]
Short = Annotated[str, Depends(short, scope="function")]


@app.get("/async")
@app.post("/async")
async def asynchronous(ask: Ask, a: Inner, b: Short, tasks: BackgroundTasks) -> Item:
    tasks.add_task(finish, ask)
    await pause(ask, "endpoint")
    fail(ask, "endpoint")
    return {"wrong": 1} if ask.at == "result" else {"name": a + b}  # type: ignore[return-value]


@app.get("/threaded")
def threaded(ask: Ask, a: Inner, tasks: BackgroundTasks) -> Item:
    tasks.add_task(finish, ask)
    fail(ask, "endpoint")
    return {"wrong": 1} if ask.at == "result" else {"name": a}  # type: ignore[return-value]


@app.get("/streamed")
async def streamed(ask: Ask, a: Inner) -> Any:
    async def pieces() -> Any:
        yield a
        await pause(ask, "stream")
        fail(ask, "stream")
        yield "end"

    fail(ask, "endpoint")
    return StreamingResponse(pieces(), background=BackgroundTask(finish, ask))


@app.get("/bare")
async def bare(key: str = "", at: str = "", what: str = "", wait: str = "") -> Item:
    ask = Asked(key=key, at=at, what=what, wait=wait)
    await pause(ask, "endpoint")
    fail(ask, "endpoint")
    return {"wrong": 1} if at == "result" else {"name": "x" * 200_000}  # type: ignore[return-value]


@app.post("/bare")
async def bare_post(item: Item, key: str = "", at: str = "", what: str = "", wait: str = "") -> Item:
    ask = Asked(key=key, at=at, what=what, wait=wait)
    await pause(ask, "endpoint")
    fail(ask, "endpoint")
    return {"wrong": 1} if at == "result" else item  # type: ignore[return-value]


@app.get("/bare-threaded")
def bare_threaded(key: str = "", at: str = "", what: str = "") -> Any:
    fail(Asked(key=key, at=at, what=what), "endpoint")
    return {1, 2, 3} if at == "result" else "bare"


def whose() -> list[str]:
    task = asyncio.current_task()
    assert task is not None
    assert task in asyncio.all_tasks()
    return [user.get(), deeper.get()]


async def visitor(name: str = "nobody") -> Any:
    if user.get() == "nobody":
        user.set(name)
    before = asyncio.current_task()
    await asyncio.sleep(0)
    assert asyncio.current_task() is before
    yield before
    assert whose()[0] == name, "a dependency's end sees another's context"


@app.get("/context")
async def context(tasks: BackgroundTasks, name: str, task: Annotated[Any, Depends(visitor)]) -> Any:
    assert task is asyncio.current_task()
    deeper.set(f"deeper {name}")
    await asyncio.sleep(0.001)
    tasks.add_task(lambda: logs[name].append(f"{user.get()} {deeper.get()}"))
    return [*whose(), await anyio.to_thread.run_sync(user.get)]


@app.get("/context/bare")
async def bare_context(name: str) -> Any:
    seen = whose()
    deeper.set(f"deeper {name}")
    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        tasks = [group.create_task(asyncio.sleep(0, deeper.get())) for _ in range(3)]
    async with anyio.create_task_group() as others:
        others.start_soon(anyio.sleep, 0)
    with anyio.move_on_after(0) as scope:
        await anyio.sleep(5)
    try:
        async with asyncio.timeout(0):
            await asyncio.sleep(5)
    except TimeoutError:
        seen.append("timed out")
    return [*seen, *whose(), [task.result() for task in tasks], scope.cancelled_caught]


@app.get("/log/{key}")
async def show(key: str, until: str = "") -> Any:
    while until and until not in logs[key]:
        await asyncio.sleep(0.001)
    return logs[key]


@app.post("/release/{key}")
async def release(key: str) -> Any:
    released.add(key)


if os.environ.get("MIDDLEWARE"):

    class Named:
        """Sets a context variable for all that is inside."""

        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            name = scope.get("query_string", b"").rpartition(b"name=")[2].decode()
            if name:
                user.set(name)
            await self.app(scope, receive, send)

    app.add_middleware(Named)
