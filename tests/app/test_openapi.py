"""The OpenAPI document: byte for byte FastAPI's, for an app that uses what a document can hold."""

import enum
import json
import warnings
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, Field, computed_field
from tests.app.both import ours, theirs


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str = Field(title="Its name", examples=["Rex"], min_length=1)


class Item(BaseModel):
    """An item.\f Not shown."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "x", "pet": {"kind": "cat"}}]})

    name: str
    price: float = Field(default=1, gt=0, le=100, description="In euros")
    size: Size | None = None
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    tags: set[str] = set()

    @computed_field
    @property
    def label(self) -> str:
        return self.name


class Filter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: int = Field(100, gt=0, le=100)
    order_by: Literal["created", "updated"] = "created"
    words: list[str] = []


@dataclass
class Point:
    x: int
    y: int = 0


class Refused(BaseModel):
    reason: str


def build(f: SimpleNamespace) -> Any:
    app = f.FastAPI(
        title="Everything",
        version="1.2",
        summary="s",
        description="d",
        terms_of_service="http://x.test/terms",
        contact={"name": "n", "url": "http://x.test", "email": "a@x.test"},
        license_info={"name": "MIT", "identifier": "MIT"},
        openapi_tags=[{"name": "items", "externalDocs": {"url": "http://x.test/items"}}],
        openapi_external_docs={"url": "http://x.test/docs"},
        servers=[{"url": "/v1", "variables": {"a": {"default": "b", "enum": ["b"]}}}, {"url": "http://x.test"}],
        responses={418: {"description": "Teapot"}},
    )
    items = f.APIRouter(prefix="/items", tags=["items", "x"], responses={404: {"model": Refused}})
    scheme = f.OAuth2PasswordBearer(tokenUrl="token", scopes={"read": "Read"}, description="o")
    code = f.OAuth2AuthorizationCodeBearer(authorizationUrl="a", tokenUrl="t", refreshUrl="r")
    callbacks = f.APIRouter()

    @callbacks.post("{$request.body.url}/done", responses={"5XX": {"description": "no"}})
    def done(body: Item) -> Point: ...

    def user(
        scopes: f.SecurityScopes,
        token: Annotated[str, f.Security(scheme, scopes=["read"])],
        key: Annotated[str, f.Depends(f.APIKeyHeader(name="x-key", auto_error=False))],
    ) -> str: ...

    @items.get("/{item_id}", summary="One", response_description="It", operation_id="one", deprecated=True)
    def read(
        item_id: Annotated[int, f.Path(title="Id", ge=1, openapi_examples={"a": {"summary": "s", "value": 1}})],
        q: Annotated[str | None, f.Query(max_length=5, pattern="^a", deprecated=True, description="Q")] = None,
        x_token: Annotated[list[str] | None, f.Header()] = None,
        hidden: Annotated[int, f.Query(include_in_schema=False)] = 0,
        session: Annotated[UUID | None, f.Cookie(examples=["x"])] = None,
        size: Size = Size.SMALL,
    ) -> Item:
        """Read one.

        More about it."""

    @items.get("/", response_model_exclude_unset=True, status_code=206)
    def find(
        wanted: Annotated[Filter, f.Query()], who: Annotated[str, f.Security(user, scopes=["read"])]
    ) -> list[Item]: ...

    @items.post("/", status_code=201, callbacks=callbacks.routes, responses={"default": {"model": Refused}})
    def create(item: Item, at: Annotated[datetime, f.Body(embed=True, examples=["2020-01-01"])]) -> Item: ...

    @items.put("/{item_id}/file", dependencies=[f.Depends(code), f.Depends(f.HTTPBasic())])
    def upload(
        item_id: str, one: f.UploadFile, many: list[f.UploadFile], text: Annotated[str, f.Form()] = "t"
    ) -> dict[str, int]: ...

    @app.post("/login")
    def login(form: Annotated[f.OAuth2PasswordRequestForm, f.Depends()]) -> None: ...

    @app.api_route("/many", methods=["PATCH"], openapi_extra={"x-extra": {"a": None}, "tags": ["more"]})
    def many(point: Point, other: Annotated[int, f.Body(gt=3)] = 4) -> Point: ...

    @app.get("/html", response_class=f.HTMLResponse, responses={200: {"content": {"text/html": {"example": "<p>"}}}})
    def html() -> str: ...

    @app.get("/away", response_class=f.RedirectResponse)
    def away() -> Any: ...

    @app.get("/stream", response_class=f.EventSourceResponse)
    async def stream() -> Any:
        yield Item

    @app.get("/hidden", include_in_schema=False)
    def hidden() -> None: ...

    @app.webhooks.post("new-item")
    def new_item(item: Item) -> None: ...

    app.include_router(items, prefix="/api", tags=["included"], responses={"4XX": {"description": "Yours"}})
    app.include_router(
        items, prefix="/api2", generate_unique_id_function=lambda route: f"two-{route.name}-{route.path}"
    )
    return app


@pytest.mark.parametrize("separate", [True, False])
def test_the_document_is_fastapis(separate: bool) -> None:
    documents = []
    for f in (ours(), theirs()):
        app = build(f)
        app.separate_input_output_schemas = separate
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Duplicate Operation ID")
            documents.append(json.dumps(app.openapi()))
    assert documents[0] == documents[1]
    assert json.loads(documents[0])["paths"].keys() >= {"/api/items/{item_id}", "/many", "/stream"}


def test_two_operations_of_one_name_are_told_with_their_file() -> None:
    app = ours().FastAPI()

    @app.get("/a", operation_id="same")
    @app.get("/b", operation_id="same")
    def endpoint() -> None: ...

    with pytest.warns(UserWarning, match=r"Duplicate Operation ID same for function endpoint at .*test_openapi\.py"):
        app.openapi()


def test_the_document_is_made_once_and_again_after_a_new_route() -> None:
    app = ours().FastAPI()
    first = app.openapi()
    assert app.openapi() is first
    app.get("/new")(lambda: None)
    assert "/new" in app.openapi()["paths"]
