"""The scenarios as a Robyn application: run as a program, `ROBYN_PORT` is where it listens."""

import asyncio

from pydantic_models import Item, records
from robyn import Request, Robyn

app = Robyn(__file__)


@app.get("/plaintext")
async def plaintext():
    return "Hello, World!"


@app.get("/json")
async def message():
    return {"message": "Hello, World!"}


@app.get("/sync")
def message_from_a_thread():
    return {"message": "Hello, World!"}


@app.get("/sleep")
async def sleep():
    await asyncio.sleep(0.01)
    return {"message": "Hello, World!"}


@app.get("/items/:item_id")
async def read_item(item_id: int, q: str, limit: int = 100):
    return {"item_id": item_id, "q": q, "limit": limit}


@app.post("/items")
async def create_item(item: Item):
    return item


@app.get("/models")
async def read_records():
    return records


@app.post("/upload")
async def upload(request: Request):
    return {"size": len(request.body)}


if __name__ == "__main__":
    app.start(host="127.0.0.1")
