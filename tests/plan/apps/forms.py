"""Apps that take forms; `FRAMEWORK` says whose apps they are."""

import os
import sys
from importlib import import_module
from typing import Annotated, Any

from pydantic import BaseModel, Json

fastapi = import_module(os.environ["FRAMEWORK"])
security = import_module(f"{os.environ['FRAMEWORK']}.security")

Form, Depends = fastapi.Form, fastapi.Depends

app = fastapi.FastAPI()


def add_routes(routes: Any) -> None:
    @routes.post("/one")
    async def one(name: Annotated[str, Form()]) -> Any:
        return name

    @routes.post("/many/{key}")
    def many(
        key: int,
        name: Annotated[str, Form(min_length=2)],
        age: Annotated[int | None, Form()] = None,
        tags: Annotated[list[str], Form()] = ["none"],
        numbers: Annotated[set[int], Form(alias="number")] = set(),
        other: Annotated[bool, Form(validation_alias="Other")] = False,
    ) -> Any:
        return [key, name, age, tags, sorted(numbers), other]


add_routes(app)


@app.post("/login")
async def login(form: Annotated[security.OAuth2PasswordRequestForm, Depends()]) -> Any:
    return vars(form)


class Model(BaseModel):
    name: str
    tags: list[str] = []


@app.post("/model")
async def model(form: Annotated[Model, Form()]) -> Any:
    return form


@app.post("/json")
async def read_json(value: Annotated[Json[list[int]], Form()]) -> Any:
    return value


@app.post("/file")
async def file(name: Annotated[str, Form()], content: fastapi.UploadFile | None = None) -> Any:
    return [name, content and content.size]


@app.post("/fails")
async def fails(name: Annotated[str, Form()]) -> Any:
    raise fastapi.HTTPException(409, name)


@app.post("/planned")
async def planned(name: Annotated[str, Form()] = "") -> Any:
    return sys._getframe(1).f_code.co_filename.endswith("plan/steps.py")


async def named(name: Annotated[str, Form()] = "nobody") -> str:
    return name


@app.post("/depends")
async def depends(who: Annotated[str, Depends(named)], age: Annotated[int, Form()] = 1) -> Any:
    return [who, age]


@app.post("/override")
async def override() -> None:
    app.dependency_overrides[named] = lambda: "another"


#: Its forms are bounded in three places.
bounded = fastapi.FastAPI()
router = fastapi.APIRouter(form_limits={"max_fields": 2})
add_routes(router)
bounded.include_router(router)
