"""Handlers that tell how they are run."""

import asyncio
import contextlib
import contextvars
import threading
from pathlib import Path

from data_bridge import App, BackgroundTasks, Request
from data_bridge.responses import StreamingResponse

app = App(max_body_size=16 * 1024 * 1024)
variable = contextvars.ContextVar("variable", default="unset")
streams: dict[str, str] = {}


def report():
    task = None
    with contextlib.suppress(RuntimeError):
        task = asyncio.current_task()
    before = variable.get()
    variable.set("set")
    return {
        "task": type(task).__name__,
        "module": type(task).__module__,
        "main": threading.current_thread() is threading.main_thread(),
        "variable": before,
    }


@app.get("/task")
async def task():
    return report()


@app.get("/suspended")
async def suspended():
    first = report()
    await asyncio.sleep(0.001)
    return {**first, "same": variable.get() == "set" and asyncio.current_task() is not None}


@app.get("/inline", inline=True)
def inline():
    return report()


@app.get("/thread")
def thread():
    return report()


barrier = threading.Barrier(40)


@app.get("/forty")
def forty():
    return barrier.wait(timeout=60) >= 0


@app.get("/late-fault")
async def late_fault():
    await asyncio.sleep(0.05)
    raise ValueError("nobody waits for this")


hundred = asyncio.Barrier(100)


@app.get("/hundred")
async def one_of_a_hundred():
    await hundred.wait()
    return "all here"


@app.get("/timeout")
async def timeout():
    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(60)
    except TimeoutError:
        return "timed out"


@app.get("/group")
async def group():
    async with asyncio.TaskGroup() as tasks:
        made = [tasks.create_task(asyncio.sleep(0, number)) for number in range(3)]
    return [task.result() for task in made]


@app.get("/factory/{switch}")
async def factory(switch: str):
    loop = asyncio.get_running_loop()
    if switch == "on":
        loop.set_task_factory(lambda loop, coro, **options: asyncio.Task(coro, loop=loop, name="made", **options))
    elif switch == "off":
        loop.set_task_factory(None)
    return asyncio.current_task().get_name()


@app.post("/slow-body")
async def slow_body(request: Request):
    pieces = [piece.decode() async for piece in request.stream()]
    return {"pieces": len(pieces), "text": "".join(pieces)}


@app.post("/body-twice")
async def body_twice(request: Request):
    first = await request.body()
    again = b"".join([piece async for piece in request.stream()])
    return {"same": first == again == await request.body(), "json": await request.json()}


@app.post("/body-and-request")
async def body_and_request(data: dict, request: Request):
    return {"data": data, "raw": (await request.body()).decode(), "path": request.path, "url": str(request.url)}


@app.post("/stream-twice")
async def stream_twice(request: Request):
    async for _ in request.stream():
        pass
    try:
        await request.body()
    except RuntimeError as error:
        return str(error)


@app.get("/endless/{name}")
async def endless(name: str):
    async def pieces():
        streams[name] = "open"
        try:
            while True:
                yield b"x" * 65536
        finally:
            await asyncio.sleep(0)
            streams[name] = "closed"

    return StreamingResponse(pieces())


@app.get("/after-fault")
async def after_fault(tasks: BackgroundTasks):
    async def fail():
        raise ValueError("after the response")

    tasks.add_task(fail)
    tasks.add_task(fail)
    return "answered"


@app.get("/after-slow")
async def after_slow(tasks: BackgroundTasks, pipe: str):
    async def keep_the_loop():
        Path(pipe).read_text()  # noqa: ASYNC240 - nothing else happens until the client has its answer

    tasks.add_task(keep_the_loop)
    return "answered"


@app.get("/broken-stream")
async def broken_stream():
    async def pieces():
        yield b"some"
        raise ValueError("broken half-way")

    return StreamingResponse(pieces())


@app.get("/bad-header")
async def bad_header():
    return StreamingResponse(iter(["x"]), headers={"x-bad": "a\r\nset-cookie: b"})


@app.get("/streams/{name}")
async def stream_state(name: str):
    return streams.get(name)


@app.get("/exits")
async def exits():
    raise SystemExit(3)


@app.get("/later/{name}")
async def later(name: str):
    app.native(f"/added/{name}", f"added {name}")
    return "added"


app.native("/native", "native")
app.native("/native/json", b"{}", content_type="application/json", status=202, headers={"X-A": "b"})
