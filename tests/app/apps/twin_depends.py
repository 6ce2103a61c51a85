"""Dependencies, marked parameters and response models, for two frameworks."""

import contextvars
import threading
from typing import Annotated, Any

from pydantic import BaseModel, Field, field_validator

mood: contextvars.ContextVar[str] = contextvars.ContextVar("mood", default="calm")
#: The dependencies that were called for a request.
calls: contextvars.ContextVar[list[str] | None] = contextvars.ContextVar("calls", default=None)


def note(name: str) -> None:
    calls.set([*(calls.get() or []), name])


class Checked(BaseModel):
    name: str
    price: float = Field(gt=0)

    @field_validator("name")
    @classmethod
    def not_bad(cls, name):
        if name == "bad":
            raise ValueError("a bad name")
        return name.title()


class Named(BaseModel):
    name: str = Field(serialization_alias="fullName")
    nick: str | None = None
    age: int = 7


def register(app: Any, kit: Any) -> None:
    """Register everything on ``app``; ``kit`` has the framework's own classes."""
    register_dependencies(app, kit)
    register_markers(app, kit)
    register_models(app)


def register_dependencies(app: Any, kit: Any) -> None:
    async def page(skip: int = 0, limit: Annotated[int, Field(le=100)] = 10):
        note("page")
        return {"skip": skip, "limit": limit}

    async def user(x_token: Annotated[str | None, kit.Header()] = None):
        note("user")
        if x_token == "wrong":
            raise kit.HTTPException(401, "no such token", {"WWW-Authenticate": "Token"})
        mood.set("set by user")
        return x_token or "anonymous"

    def thread(name: Annotated[str, kit.Depends(user)], page: Annotated[dict, kit.Depends(page)]):
        note("thread")
        return {"name": name, "main": threading.current_thread() is threading.main_thread(), "mood": mood.get(), **page}

    class Filters:
        def __init__(self, q: str | None = None, page: dict = kit.Depends(page)):
            self.q, self.page = q, page

    @app.get("/depends/two")
    async def two(user: Annotated[str, kit.Depends(user)], page: dict = kit.Depends(page)):
        return {"user": user, "mood": mood.get(), **page}

    @app.get("/depends/in-thread")
    def in_thread(user: str = kit.Depends(user)):
        return {"user": user, "mood": mood.get()}

    @app.get("/depends/deep/{item}")
    async def deep(item: int, found: Annotated[dict, kit.Depends(thread)], again: Annotated[dict, kit.Depends(page)]):
        return {"item": item, "found": found, "again": again, "calls": calls.get()}

    @app.get("/depends/uncached")
    async def uncached(
        one: Annotated[dict, kit.Depends(page)], two: Annotated[dict, kit.Depends(page, use_cache=False)]
    ):
        return {"calls": calls.get(), "same": one is two}

    @app.get("/depends/class")
    async def of_class(filters: Annotated[Filters, kit.Depends()]):
        return {"q": filters.q, "page": filters.page}

    @app.post("/depends/body")
    async def with_body(data: Checked, user: Annotated[str, kit.Depends(user)]):
        return {"user": user, "data": data}

    async def of_request(request: kit.Request, tasks: kit.BackgroundTasks):
        tasks.add_task(str)
        return request.url.path if hasattr(request.url, "path") else request.path

    @app.get("/depends/request")
    async def by_request(path: Annotated[str, kit.Depends(of_request)], tasks: kit.BackgroundTasks):
        return {"path": path, "tasks": len(tasks.tasks)}

    async def failing(page: Annotated[dict, kit.Depends(page)]):
        raise ZeroDivisionError("in a dependency")

    @app.get("/depends/fails")
    async def fails(x: Annotated[Any, kit.Depends(failing)]): ...


def register_markers(app: Any, kit: Any) -> None:
    @app.get("/marked/{item_id}")
    async def marked(
        item: Annotated[int, kit.Path(alias="item_id")],
        user_agent: Annotated[str, kit.Header()],
        x_count: Annotated[int, kit.Header()],
        other: Annotated[str | None, kit.Header(alias="X-Other_Name")] = None,
        order: Annotated[str, kit.Query(alias="order-by"), Field(pattern="^[a-z]+$")] = "name",
    ):
        return [item, user_agent, x_count, other, order]

    @app.get("/constrained/{item}")
    async def constrained(item: Annotated[int, Field(ge=1)], q: Annotated[str | None, Field(min_length=2)] = None):
        return [item, q]


def register_models(app: Any) -> None:
    named = {"name": "Ada", "age": 7}

    @app.get("/model/option", response_model=Named)
    async def option():
        return named

    @app.get("/model/none", response_model=None)
    async def none() -> Named:
        return named

    @app.get("/model/unset", response_model=Named, response_model_exclude_unset=True)
    async def unset():
        return Named(name="Ada")

    @app.get("/model/defaults", response_model=Named, response_model_exclude_defaults=True)
    async def defaults():
        return named

    @app.get("/model/without-none", response_model_exclude_none=True)
    async def without_none() -> Named:
        return named

    @app.get(
        "/model/fields", response_model=Named, response_model_include={"name", "age"}, response_model_exclude={"age"}
    )
    async def fields():
        return named

    @app.get("/model/by-name", response_model=list[Named], response_model_by_alias=False)
    def by_name():
        return [named]

    @app.get("/model/unfit", response_model=Named)
    async def unfit():
        return {"age": "x"}
