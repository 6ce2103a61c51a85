"""The scenarios as a `data_bridge.App`: the same endpoints as fastapi_app.py."""

import asyncio
import os
from typing import Annotated

import load
from pydantic_models import Item, Record, records

from data_bridge import App, Depends, Header, Request
from data_bridge.middleware.cors import CORSMiddleware
from data_bridge.middleware.gzip import GZipMiddleware
from data_bridge.middleware.trustedhost import TrustedHostMiddleware
from data_bridge.responses import PlainTextResponse

load.begin()
app = App()


@app.get("/plaintext", response_class=PlainTextResponse)
async def plaintext():
    return PlainTextResponse("Hello, World!")


@app.get("/json")
async def message():
    return {"message": "Hello, World!"}


@app.get("/sync")
def message_from_a_thread():
    return {"message": "Hello, World!"}


@app.get("/inline", inline=True)
def message_at_once():
    return {"message": "Hello, World!"}


@app.get("/sleep")
async def sleep():
    await asyncio.sleep(0.01)
    return {"message": "Hello, World!"}


@app.get("/items/{item_id}")
async def read_item(item_id: int, q: str, limit: int = 100):
    return {"item_id": item_id, "q": q, "limit": limit}


@app.post("/items")
async def create_item(item: Item):
    return item


@app.get("/models")
async def read_records() -> list[Record]:
    return records


async def page(skip: int = 0, limit: int = 100):
    return {"skip": skip, "limit": limit}


async def user(authorization: Annotated[str | None, Header()] = None):
    return authorization or "anonymous"


@app.get("/dependencies")
async def read_page(user: Annotated[str, Depends(user)], page: Annotated[dict, Depends(page)]):
    return {"user": user, **page}


@app.post("/upload")
async def upload(request: Request):
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
    return {"size": size}


app.native("/native", "Hello, World!")


def add_routes(count):
    for number in range(count):

        @app.get(f"/route/{number}/{{name}}")
        async def route(name: str):
            return {"message": "Hello, World!"}


add_routes(int(os.environ.get("BENCH_ROUTES", "0")))


def add_layers():
    app.add_middleware(GZipMiddleware)
    app.add_middleware(CORSMiddleware, allow_origins=["https://example.com"], allow_credentials=True)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1", "*.example.com"])


if "BENCH_LAYERS" in os.environ:
    add_layers()
