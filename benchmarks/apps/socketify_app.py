"""The scenarios on socketify's own API: run as a program, its argument is the port."""

import asyncio
import sys

import orjson
from pydantic_models import record_list, records
from socketify import App


class Json:
    loads = staticmethod(orjson.loads)

    @staticmethod
    def dumps(value):
        return orjson.dumps(value).decode()


app = App()
app.json_serializer(Json)


def plaintext(res, req):
    res.send("Hello, World!")


def message(res, req):
    res.send({"message": "Hello, World!"})


async def sleep(res, req):
    await asyncio.sleep(0.01)
    res.cork_send({"message": "Hello, World!"})


def read_item(res, req):
    item_id = int(req.get_parameter(0))
    res.send({"item_id": item_id, "q": req.get_query("q"), "limit": int(req.get_query("limit") or 100)})


def read_records(res, req):
    res.write_header(b"Content-Type", b"application/json")
    res.end(record_list.dump_json(records))


async def upload(res, req):
    body = await res.get_data()
    res.cork_send({"size": len(body.getvalue())})


app.get("/plaintext", plaintext)
app.get("/json", message)
app.get("/inline", message)
app.get("/sleep", sleep)
app.get("/items/:item_id", read_item)
app.get("/models", read_records)
app.post("/upload", upload)

if __name__ == "__main__":
    app.listen(int(sys.argv[1]))
    app.run()
