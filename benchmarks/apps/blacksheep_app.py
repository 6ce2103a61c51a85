"""The scenarios as a BlackSheep application; its JSON by orjson, as its documentation recommends."""

import asyncio

import orjson
from blacksheep import Application, FromJSON, Request, Response, json, text
from blacksheep.settings.json import json_settings
from pydantic import BaseModel
from pydantic_models import Item, records

json_settings.use(loads=orjson.loads, dumps=lambda value: orjson.dumps(value, default=BaseModel.model_dump).decode())
app = Application()


@app.router.get("/plaintext")
async def plaintext() -> Response:
    return text("Hello, World!")


@app.router.get("/json")
async def message() -> Response:
    return json({"message": "Hello, World!"})


@app.router.get("/inline")
def message_at_once() -> Response:
    return json({"message": "Hello, World!"})


@app.router.get("/sleep")
async def sleep() -> Response:
    await asyncio.sleep(0.01)
    return json({"message": "Hello, World!"})


@app.router.get("/items/{item_id}")
async def read_item(item_id: int, q: str, limit: int = 100) -> Response:
    return json({"item_id": item_id, "q": q, "limit": limit})


@app.router.post("/items")
async def create_item(data: FromJSON[Item]) -> Response:
    return json(data.value)


@app.router.get("/models")
async def read_records() -> Response:
    return json(records)


@app.router.post("/upload")
async def upload(request: Request) -> Response:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
    return json({"size": size})
