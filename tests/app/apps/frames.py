"""Handlers of every plain kind, and the Python frames that requests to them run."""

import sys
from typing import Annotated, Any

from pydantic import BaseModel

from data_bridge import App, BackgroundTasks, Depends, Header, Request
from data_bridge.responses import PlainTextResponse

app = App()
frames: list[str] = []


class Item(BaseModel):
    name: str
    price: float = 1.0


made = [Item(name="a"), Item(name="b")]


@app.get("/json")
async def message():
    return {"message": "hello"}


@app.get("/inline", inline=True)
def at_once():
    return [1, 2, 3]


@app.get("/text", response_class=PlainTextResponse)
async def text():
    return "text"


@app.get("/items/{key}")
async def read(key: int, q: str, limit: int = 10, user_agent: Annotated[str | None, Header()] = None):
    return {"key": key, "q": q, "limit": limit}


@app.post("/items")
async def create(item: Item) -> Item:
    return item


@app.post("/untyped")
async def untyped(data: dict):
    return data


@app.get("/models")
async def models() -> list[Item]:
    return made


@app.get("/plain-model")
async def plain_model():
    return made[0]


async def dependency(q: str = "a"):
    return q


@app.get("/depends")
async def depends(found: Annotated[str, Depends(dependency)]):
    return found


@app.get("/specials")
async def specials(request: Request, tasks: BackgroundTasks):
    return None


@app.get("/frames/start")
async def start_frames():
    def note(frame: Any, event: str, _argument: Any) -> None:
        if event == "call":
            frames.append(f"{frame.f_code.co_filename}:{frame.f_code.co_name}")

    frames.clear()
    sys.setprofile(note)


@app.get("/frames")
async def show_frames():
    sys.setprofile(None)
    return frames
