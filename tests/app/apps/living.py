"""Apps with a life before the first request and after the last; each step is a line on standard output."""

import contextlib
import os

from data_bridge import App, Request


@contextlib.asynccontextmanager
async def lifespan(app):
    print("begun", flush=True)
    app.state.answer = 42
    yield {"pool": "open"}
    print("ended", flush=True)


app = App(lifespan=lifespan)


@app.get("/")
async def read(request: Request):
    request.state.own = "changed"
    return {"pool": request.state.pool, "answer": app.state.answer, "other": hasattr(request.state, "other")}


events = App()


@events.on_event("startup")
async def startup():
    print("begun", flush=True)


@events.on_event("shutdown")
def shutdown():
    print("ended", flush=True)


@events.get("/")
async def hello():
    return "hello"


failing = App()


@failing.on_event("startup")
def fail():
    raise RuntimeError(os.environ.get("REASON", "no database"))
