"""The scenarios as a bare ASGI application: what a server costs without a framework."""

import asyncio
import json
from urllib.parse import parse_qsl

import load

load.begin()

TEXT = [(b"content-type", b"text/plain; charset=utf-8")]
JSON = [(b"content-type", b"application/json")]
BINARY = [(b"content-type", b"application/octet-stream")]


def dumps(value):
    return json.dumps(value, separators=(",", ":")).encode()


async def body_of(receive):
    chunks = []
    more = True
    while more:
        event = await receive()
        chunks.append(event.get("body", b""))
        more = event.get("more_body", False)
    return b"".join(chunks)


async def plaintext(scope, receive):
    return TEXT, b"Hello, World!"


async def message(scope, receive):
    return JSON, dumps({"message": "Hello, World!"})


async def sleep(scope, receive):
    await asyncio.sleep(0.01)
    return JSON, dumps({"message": "Hello, World!"})


async def item(scope, receive):
    item_id = int(scope["path"].rpartition("/")[2])
    query = dict(parse_qsl(scope["query_string"].decode()))
    return JSON, dumps({"item_id": item_id, "q": query["q"], "limit": int(query["limit"])})


async def create(scope, receive):
    return JSON, dumps(json.loads(await body_of(receive)))


async def echo(scope, receive):
    return BINARY, await body_of(receive)


async def upload(scope, receive):
    size = 0
    more = True
    while more:
        event = await receive()
        size += len(event.get("body", b""))
        more = event.get("more_body", False)
    return JSON, dumps({"size": size})


ROUTES = {
    "/plaintext": plaintext,
    "/json": message,
    "/sleep": sleep,
    "/items/42": item,
    "/items": create,
    "/echo": echo,
    "/upload": upload,
}


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    headers, body = await ROUTES[scope["path"]](scope, receive)
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


async def lifespan(receive, send):
    while True:
        event = await receive()
        await send({"type": f"{event['type']}.complete"})
        if event["type"] == "lifespan.shutdown":
            return
