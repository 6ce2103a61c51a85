"""The scenarios as a Litestar application, with msgspec's structs as its models."""

import asyncio
from typing import Annotated

from litestar import Litestar, MediaType, Request, get, post
from litestar.di import Provide
from litestar.params import Parameter
from msgspec_models import Item, Record, records

MESSAGE = {"message": "Hello, World!"}


@get("/plaintext", media_type=MediaType.TEXT)
async def plaintext() -> str:
    return "Hello, World!"


@get("/json")
async def message() -> dict[str, str]:
    return {"message": "Hello, World!"}


@get("/sync", sync_to_thread=True)
def message_from_a_thread() -> dict[str, str]:
    return {"message": "Hello, World!"}


@get("/inline", sync_to_thread=False)
def message_at_once() -> dict[str, str]:
    return {"message": "Hello, World!"}


@get("/sleep")
async def sleep() -> dict[str, str]:
    await asyncio.sleep(0.01)
    return {"message": "Hello, World!"}


@get("/items/{item_id:int}")
async def read_item(item_id: int, q: str, limit: int = 100) -> dict[str, int | str]:
    return {"item_id": item_id, "q": q, "limit": limit}


@post("/items", status_code=200)
async def create_item(data: Item) -> Item:
    return data


@get("/models")
async def read_records() -> list[Record]:
    return records


async def page(skip: int = 0, limit: int = 100) -> dict[str, int]:
    return {"skip": skip, "limit": limit}


async def user(authorization: Annotated[str | None, Parameter(header="authorization")] = None) -> str:
    return authorization or "anonymous"


@get("/dependencies", dependencies={"user": Provide(user), "page": Provide(page)})
async def read_page(user: str, page: dict[str, int]) -> dict[str, int | str]:
    return {"user": user, **page}


@post("/upload", status_code=200)
async def upload(request: Request) -> dict[str, int]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
    return {"size": size}


app = Litestar(
    [
        plaintext,
        message,
        message_from_a_thread,
        message_at_once,
        sleep,
        read_item,
        create_item,
        read_records,
        read_page,
        upload,
    ],
    openapi_config=None,
    request_max_body_size=None,
)
