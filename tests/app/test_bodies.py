"""Bodies and parameters of every shape, right and wrong, beside FastAPI: answers and documents are equal."""

from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field
from tests.app.twins import assert_same, get, post


class Kind(Enum):
    A = "a"
    B = "b"


class Item(BaseModel):
    name: str
    price: float = Field(1.5, gt=0)
    tags: list[str] = []


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str


class Strict(BaseModel):
    model_config = {"extra": "forbid"}
    limit: int = Field(10, le=100)
    order: Literal["up", "down"] = "up"
    ids: list[int] = []


class Login(BaseModel):
    user: str
    roles: list[str] = []
    nick: str | None = Field(None, alias="nick-name")


def json_bodies(fastapi):
    app, body = fastapi.FastAPI(), fastapi.Body

    @app.post("/one")
    async def one(item: Item) -> Any:
        return item

    @app.post("/embedded")
    async def embedded(item: Annotated[Item, body(embed=True)]) -> Any:
        return item

    @app.post("/two")
    async def two(
        item: Item, importance: Annotated[int, body(gt=0)], note: Annotated[str | None, body(alias="n")] = None
    ) -> Any:
        return [item, importance, note]

    @app.post("/optional")
    async def optional(item: Item | None = None, more: Annotated[list[int], body()] = [1]) -> Any:  # noqa: B006
        return [item, more]

    @app.post("/union")
    async def union(pet: Annotated[Cat | Dog, Field(discriminator="kind")]) -> Any:
        return pet

    @app.post("/raw")
    async def raw(content: Annotated[dict[str, Kind], body()]) -> Any:
        return content

    @app.post("/bytes")
    async def of_bytes(content: Annotated[str, body(media_type="text/plain")]) -> Any:
        return content

    return app


JSON_BODIES = [
    {"name": "a"},
    {"name": "a", "price": 0},
    {"item": {"name": "a"}, "importance": 1, "n": "x"},
    {"item": {"name": "a"}, "importance": "none"},
    {"item": None, "more": ["1", 2]},
    {"kind": "cat", "lives": 9},
    {"kind": "dog", "lives": 9},
    {"kind": "cow"},
    {"k": "a"},
    {"k": "c"},
    [],
    "text",
    None,
]


@pytest.mark.parametrize("body", JSON_BODIES, ids=str)
def test_json(body):
    paths = ["/one", "/embedded", "/two", "/optional", "/union", "/raw", "/bytes"]
    assert_same(json_bodies, [post(path, json=body) for path in paths])


def test_what_is_no_json():
    paths = ["/one", "/embedded", "/two", "/optional", "/raw", "/bytes"]
    contents = [
        {},
        {"content": b"{"},
        {"content": b'{"name": "a"}', "headers": {"content-type": "text/plain"}},
        {"content": b'{"name": "a"}', "headers": {"content-type": "application/vnd.api+json"}},
        {"content": b"\xff\xfe", "headers": {"content-type": "application/json"}},
        {"content": b"[" * 2000, "headers": {"content-type": "application/json"}},
    ]
    assert_same(json_bodies, [post(path, **content) for path in paths for content in contents])


def forms(fastapi):
    app, form, file, upload = fastapi.FastAPI(), fastapi.Form, fastapi.File, fastapi.UploadFile

    @app.post("/fields")
    async def fields(
        name: Annotated[str, form(min_length=2)],
        age: Annotated[int, form(ge=0)] = 7,
        tags: Annotated[list[str], form()] = [],  # noqa: B006
        nick: Annotated[str | None, form(alias="nick-name")] = None,
    ) -> Any:
        return [name, age, tags, nick]

    @app.post("/model")
    async def model(login: Annotated[Login, form()]) -> Any:
        return login

    @app.post("/strict")
    async def strict(wanted: Annotated[Strict, form()]) -> Any:
        return wanted

    @app.post("/model-and-field")
    async def model_and_field(login: Annotated[Login, form()], more: Annotated[int, form()]) -> Any:
        return [login, more]

    @app.post("/file")
    async def one_file(one: upload, note: Annotated[str, form()] = "") -> Any:
        return [one.filename, one.content_type, one.size, (await one.read()).decode(), note]

    @app.post("/files")
    async def files(many: list[upload], first: Annotated[bytes | None, file()] = None) -> Any:
        return [[one.filename for one in many], first and first.decode()]

    @app.post("/contents")
    def contents(many: Annotated[list[bytes], file()]) -> Any:
        return [one.decode() for one in many]

    @app.post("/maybe")
    async def maybe(one: upload | None = None, many: list[upload] | None = None) -> Any:
        return [one and one.filename, many and len(many)]

    return app


FORMS = [
    {},
    {"data": {"name": "ab", "age": "8", "tags": ["x", "y"], "nick-name": "n"}},
    {"data": {"name": "a", "age": "-1"}},
    {"data": {"name": "", "age": ""}},
    {"data": {"user": "u", "roles": ["a", "b"], "nick-name": "n", "more": "3"}},
    {"data": {"roles": "a", "more": "x"}},
    {"data": {"limit": "101", "order": "left", "extra": "1"}},
    {"data": {"limit": "5", "order": "down", "ids": ["1", "2"]}},
    {"data": {"one": "text", "many": "text"}},
    {"data": {"note": "n"}, "files": {"one": ("a.txt", b"abc", "text/plain")}},
    {"files": [("many", ("a", b"1")), ("many", ("b", b"2")), ("first", ("c", b"3"))]},
    {"files": [("user", ("a", b"1")), ("name", (None, b"ab"))]},
    {"files": {"one": ("", b"")}},
    {"json": {"name": "ab"}},
    {"content": b"--b\r\n", "headers": {"content-type": "multipart/form-data; boundary=b"}},
]


@pytest.mark.parametrize("sent", FORMS, ids=lambda sent: str(sent)[:60])
def test_forms(sent):
    paths = ["/fields", "/model", "/strict", "/model-and-field", "/file", "/files", "/contents", "/maybe"]
    assert_same(forms, [post(path, **sent) for path in paths])


def parameters(fastapi):
    app, query, header, cookie, path = fastapi.FastAPI(), fastapi.Query, fastapi.Header, fastapi.Cookie, fastapi.Path

    @app.get("/queries")
    async def queries(
        q: Annotated[str | None, query(max_length=3, pattern="^a")] = None,
        ids: Annotated[list[int], query(min_length=1, alias="id")] = [0],  # noqa: B006
        unique: Annotated[set[str], query()] = frozenset(),
        pair: Annotated[tuple[int, int] | None, query()] = None,
        kind: Kind = Kind.A,
    ) -> Any:
        return [q, ids, sorted(unique), pair, kind]

    @app.get("/model")
    async def model(wanted: Annotated[Strict, query()]) -> Any:
        return wanted

    @app.get("/headers")
    async def headers(
        x_token: Annotated[list[str], header()],
        plain_name: Annotated[str | None, header(convert_underscores=False)] = None,
        user_agent: Annotated[str, header()] = "none",
    ) -> Any:
        return [x_token, plain_name, user_agent]

    class Fields(BaseModel):
        x_one: int
        x_many: list[str] = []

    @app.get("/header-model")
    async def header_model(fields: Annotated[Fields, header()]) -> Any:
        return fields

    class Cookies(BaseModel):
        session: str
        visits: int = 0

    @app.get("/cookie-model")
    async def cookie_model(cookies: Annotated[Cookies, cookie()], one: Annotated[str | None, cookie()] = None) -> Any:
        return [cookies, one]

    @app.get("/path/{number}/{rest:path}")
    async def of_path(number: Annotated[float, path(lt=10)], rest: str) -> Any:
        return [number, rest]

    return app


def test_parameters():
    assert_same(
        parameters,
        [
            get("/queries"),
            get("/queries?q=abc&id=1&id=2&unique=a&unique=a&pair=1&pair=2&kind=b"),
            get("/queries?q=bcde&id=x&pair=1&kind=c"),
            get("/queries?q=&id="),
            get("/model?limit=5&ids=1&ids=2"),
            get("/model?limit=500&other=1&order=left"),
            get("/headers"),
            get("/headers", headers=[("x-token", "a"), ("x-token", "b"), ("plain_name", "p")]),
            get("/header-model", headers=[("x-one", "1"), ("x-many", "a"), ("x-many", "b")]),
            get("/header-model", headers={"x-one": "one"}),
            get("/cookie-model", headers={"cookie": "session=s; visits=3; one=1"}),
            get("/cookie-model", headers={"cookie": "visits=x"}),
            get("/path/1.5/a/b"),
            get("/path/10/a"),
            get("/path/x/"),
        ],
    )
