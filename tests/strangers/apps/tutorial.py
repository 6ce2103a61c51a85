"""An app as a FastAPI user writes it after the tutorial. Knows nothing of who serves it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from typing import Annotated, Any

from fastapi import (
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    FastAPI,
    File,
    Form,
    Header,
    HTTPException,
    Path,
    Query,
    Request,
    Response,
    UploadFile,
    WebSocket,
    WebSocketDisconnect,
    status,
)
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, StreamingResponse
from pydantic import BaseModel, Field

events: list[str] = []


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    events.append("startup")
    yield {"model": "loaded"}
    events.append("shutdown")


app = FastAPI(lifespan=lifespan, title="Tutorial")
app.add_middleware(GZipMiddleware, minimum_size=2000)
app.add_middleware(CORSMiddleware, allow_origins=["https://example.org"], allow_methods=["GET", "POST"])


@app.middleware("http")
async def add_header(request: Request, call_next: Any) -> Response:
    response = await call_next(request)
    response.headers["X-Path"] = request.url.path
    return response


class ModelName(str, Enum):
    alexnet = "alexnet"
    resnet = "resnet"


class Item(BaseModel):
    name: str
    price: float = Field(gt=0)
    tags: list[str] = []


@app.get("/")
async def root() -> dict[str, str]:
    return {"message": "Hello World"}


@app.get("/lifespan")
async def lifespan_state(request: Request) -> dict[str, Any]:
    return {"model": request.state.model, "events": events}


@app.get("/models/{name}")
async def model(name: ModelName) -> dict[str, str]:
    return {"name": name.value}


@app.get("/files/{file_path:path}")
async def file_path(file_path: str) -> dict[str, str]:
    return {"file_path": file_path}


@app.get("/items/{item_id}")
async def item(
    item_id: Annotated[int, Path(ge=1)],
    q: Annotated[str | None, Query(max_length=10)] = None,
    size: list[int] = Query(default=[]),
    user_agent: Annotated[str | None, Header()] = None,
    x_token: Annotated[list[str] | None, Header()] = None,
    session: Annotated[str | None, Cookie()] = None,
) -> dict[str, Any]:
    if item_id == 404:
        raise HTTPException(404, "no such item", headers={"X-Error": "there goes my error"})
    return {"id": item_id, "q": q, "size": size, "agent": bool(user_agent), "tokens": x_token, "session": session}


@app.post("/items", status_code=status.HTTP_201_CREATED)
async def create(item: Item) -> Item:
    return item


@app.put("/items/{item_id}", response_model=Item, response_model_exclude_unset=True)
def update(item_id: int, item: Annotated[Item, Body(embed=True)], response: Response) -> Any:
    response.set_cookie("last", str(item_id))
    return item


async def connection() -> AsyncIterator[str]:
    events.append("open")
    try:
        yield "connection"
    finally:
        events.append("close")


@app.get("/dependencies")
async def dependencies(found: Annotated[str, Depends(connection)]) -> dict[str, str]:
    return {"found": found}


async def note(event: str) -> None:
    events.append(event)


@app.post("/background")
async def background(tasks: BackgroundTasks) -> dict[str, str]:
    tasks.add_task(note, "background")
    return {"sent": "in the background"}


@app.get("/events")
async def seen() -> list[str]:
    return events


@app.get("/stream")
async def stream() -> StreamingResponse:
    async def numbers() -> AsyncIterator[str]:
        for number in range(5):
            yield f"line {number}\n"
            await asyncio.sleep(0)

    return StreamingResponse(numbers(), media_type="text/plain")


@app.get("/sync")
def sync() -> PlainTextResponse:
    time.sleep(0.001)
    return PlainTextResponse("from a thread")


@app.get("/html", response_class=HTMLResponse)
async def html() -> str:
    return "<h1>Hello</h1>"


@app.get("/old")
async def old() -> RedirectResponse:
    return RedirectResponse("/")


@app.get("/large")
async def large() -> JSONResponse:
    return JSONResponse([{"number": number} for number in range(1000)])


@app.delete("/items/{item_id}", status_code=204)
async def delete(item_id: int) -> None:
    assert item_id


@app.post("/form")
async def form(name: Annotated[str, Form()], file: Annotated[UploadFile, File()]) -> dict[str, Any]:
    return {"name": name, "filename": file.filename, "size": len(await file.read())}


@app.post("/raw")
async def raw(request: Request) -> dict[str, int]:
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
    return {"bytes": total}


@app.get("/broken")
async def broken() -> None:
    raise RuntimeError("on purpose")


sub = FastAPI()


@sub.get("/inner")
async def inner(request: Request) -> dict[str, str]:
    return {"root_path": request.scope["root_path"]}


app.mount("/sub", sub)


@app.websocket("/rooms/{room}")
async def room(websocket: WebSocket, room: int, token: str = "") -> None:
    await websocket.accept()
    try:
        while True:
            text = await websocket.receive_text()
            await websocket.send_json({"room": room, "token": token, "text": text})
    except WebSocketDisconnect as left:
        events.append(f"left {left.code}")
