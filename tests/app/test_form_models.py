"""Models that forms are read into: aliases, unions, several at once, ones that may be absent; beside FastAPI."""

from typing import Annotated, Any

import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from tests.app.twins import assert_same, post


class Named(BaseModel):
    name: str = Field(alias="full-name")
    nick: str = Field("none", validation_alias=AliasChoices("nick", "short"))
    both: str = Field(validation_alias=AliasChoices("left", "right"))


class Sized(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: int
    tags: list[str] = []


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")
    colour: str


class Plain(BaseModel):
    weight: int = 1
    colour: str | None = None


def build(fastapi):
    app, form, file = fastapi.FastAPI(), fastapi.Form, fastapi.File

    @app.post("/named")
    async def named(one: Annotated[Named, form()]) -> Any:
        return one

    @app.post("/union")
    async def union(one: Annotated[Sized | Named, form()]) -> Any:
        return [type(one).__name__, one]

    @app.post("/maybe-union")
    async def maybe_union(one: Annotated[Sized | Plain | None, form()] = None) -> Any:
        return [type(one).__name__, one]

    @app.post("/maybe")
    async def maybe(one: Annotated[Named | None, form()] = None, more: Annotated[int, form()] = 1) -> Any:
        return [one, more]

    @app.post("/two")
    async def two(
        one: Annotated[Named, form()], other: Annotated[Plain | None, form()], left: Annotated[str, form()]
    ) -> Any:
        return [one, other, left]

    @app.post("/loose")
    async def loose(one: Annotated[Loose | None, form()] = None, note: Annotated[str | None, form()] = None) -> Any:
        return [one, note]

    @app.post("/with-file")
    async def with_file(one: Annotated[Plain, form()], content: Annotated[bytes | None, file()] = None) -> Any:
        return [one, content and content.decode()]

    @app.post("/sent-as")
    async def sent_as(one: Annotated[Plain, form(media_type="multipart/form-data")], q: Annotated[str, form()]) -> Any:
        return [one, q]

    return app


FORMS = [
    {},
    {"full-name": "a", "left": "l"},
    {"full-name": "a", "short": "s", "right": "r", "left": "l", "weight": "2"},
    {"name": "a", "nick": "n"},
    {"size": "3", "tags": ["a", "b"]},
    {"size": "3", "other": "1"},
    {"colour": "red", "more": "2", "note": "n", "q": "q"},
    {"weight": "heavy", "full-name": "", "left": ""},
]
PATHS = ["/named", "/union", "/maybe-union", "/maybe", "/two", "/loose", "/with-file", "/sent-as"]


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_forms(form):
    assert_same(build, [post(path, data=form) for path in PATHS])
    assert_same(build, [post(path, data=form, files={"content": ("c.txt", b"c")}) for path in PATHS])
