"""The scenarios on django-bolt's own API, with msgspec structs as models. Its settings are in bolt_settings.py."""

import asyncio
from typing import Annotated

from django_bolt import BoltAPI, Request
from django_bolt.param_functions import Depends, Header
from django_bolt.responses import PlainText
from msgspec_models import Item, Record, records

api = BoltAPI(enable_logging=False)


@api.get("/plaintext")
async def plaintext():
    return PlainText("Hello, World!")


@api.get("/json")
async def message():
    return {"message": "Hello, World!"}


@api.get("/inline")
def message_at_once():
    return {"message": "Hello, World!"}


@api.get("/sleep")
async def sleep():
    await asyncio.sleep(0.01)
    return {"message": "Hello, World!"}


@api.get("/items/{item_id}")
async def read_item(item_id: int, q: str, limit: int = 100):
    return {"item_id": item_id, "q": q, "limit": limit}


@api.post("/items", status_code=200)
async def create_item(item: Item) -> Item:
    return item


@api.get("/models")
async def read_records() -> list[Record]:
    return records


async def page(skip: int = 0, limit: int = 100):
    return {"skip": skip, "limit": limit}


async def user(authorization: Annotated[str | None, Header()] = None):
    return authorization or "anonymous"


@api.get("/dependencies")
async def read_page(user: Annotated[str, Depends(user)], page: Annotated[dict, Depends(page)]):
    return {"user": user, **page}


@api.post("/upload", status_code=200)
async def upload(request: Request):
    return {"size": len(request.body)}
