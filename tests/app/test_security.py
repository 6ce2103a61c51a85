"""Security schemes: what each reads, and how it refuses, as FastAPI's do."""

import base64
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from tests.app.both import BOTH

HEADER = "Authorization"
SCHEMES = {
    "query": lambda f, **o: f.APIKeyQuery(name="key", **o),
    "header": lambda f, **o: f.APIKeyHeader(name="x-key", **o),
    "cookie": lambda f, **o: f.APIKeyCookie(name="key", **o),
    "basic": lambda f, **o: f.HTTPBasic(**o),
    "realm": lambda f, **o: f.HTTPBasic(realm="here", **o),
    "bearer": lambda f, **o: f.HTTPBearer(**o),
    "digest": lambda f, **o: f.HTTPDigest(**o),
    "oauth2": lambda f, **o: f.OAuth2(**o),
    "password": lambda f, **o: f.OAuth2PasswordBearer(tokenUrl="t", **o),
    "code": lambda f, **o: f.OAuth2AuthorizationCodeBearer(authorizationUrl="a", tokenUrl="t", **o),
    "openid": lambda f, **o: f.OpenIdConnect(openIdConnectUrl="u", **o),
}
REQUESTS = {
    "nothing": {},
    "a key in the query": {"params": {"key": "k"}},
    "an empty key": {"params": {"key": ""}, "headers": {"x-key": ""}},
    "a key in a header": {"headers": {"x-key": "k"}},
    "a key in a cookie": {"headers": {"cookie": "key=k"}},
    "basic": {"headers": {HEADER: "basic " + base64.b64encode(b"name:pass:word").decode()}},
    "basic without a colon": {"headers": {HEADER: "Basic " + base64.b64encode(b"name").decode()}},
    "basic that is no base64": {"headers": {HEADER: "Basic x"}},
    "basic that is no ASCII": {"headers": {HEADER: "Basic " + base64.b64encode("ä:b".encode()).decode()}},
    "bearer": {"headers": {HEADER: "Bearer  token"}},
    "bearer without a token": {"headers": {HEADER: "bearer"}},
    "digest": {"headers": {HEADER: "DIGEST a b"}},
    "another scheme": {"headers": {HEADER: "Other token"}},
}


@pytest.fixture(**BOTH)
def f(request: pytest.FixtureRequest) -> SimpleNamespace:
    return request.param()


def answers(f: SimpleNamespace) -> dict[tuple[str, str, bool], Any]:
    app = f.FastAPI()
    for name, make in SCHEMES.items():
        for auto in (True, False):
            scheme = make(f, auto_error=auto, scheme_name=f"{name}{auto}", description=name)

            def endpoint(found: Annotated[Any, f.Security(scheme)]) -> Any:
                return found

            app.add_api_route(f"/{name}/{auto}", endpoint, response_model=None)
    client = f.TestClient(app)
    found = {}
    for name in SCHEMES:
        for what, options in REQUESTS.items():
            for auto in (True, False):
                answer = client.get(f"/{name}/{auto}", **options)
                found[name, what, auto] = (answer.status_code, answer.text, answer.headers.get("www-authenticate"))
    return found


def test_every_scheme_answers_every_request_as_fastapis_does() -> None:
    ours, theirs = (answers(make()) for make in BOTH["params"])
    assert ours == theirs
    assert ours["bearer", "bearer", True] == (200, '{"scheme":"Bearer","credentials":"token"}', None)
    assert ours["query", "nothing", True] == (401, '{"detail":"Not authenticated"}', "APIKey")
    assert ours["realm", "nothing", True][2] == 'Basic realm="here"'
    assert ours["basic", "basic that is no base64", False][0] == 401
    assert {status for status, _, _ in ours.values()} == {200, 401}


def test_scopes_flow_to_the_dependency_that_asks_for_them(f: SimpleNamespace) -> None:
    app = f.FastAPI()

    def user(scopes: f.SecurityScopes) -> str:
        return scopes.scope_str

    def middle(name: Annotated[str, f.Security(user, scopes=["b", "a"])]) -> str:
        return name

    @app.get("/")
    def endpoint(name: Annotated[str, f.Security(middle, scopes=["c", "a"])]) -> str:
        return name

    assert f.TestClient(app).get("/").json() == "c a b"


@pytest.mark.parametrize(
    ("strict", "form", "status"), [(False, {}, 200), (True, {}, 422), (True, {"grant_type": "password"}, 200)]
)
def test_the_form_of_the_password_flow(f: SimpleNamespace, strict: bool, form: dict[str, str], status: int) -> None:
    app = f.FastAPI()
    kind = f.OAuth2PasswordRequestFormStrict if strict else f.OAuth2PasswordRequestForm

    @app.post("/token")
    def endpoint(form: Annotated[kind, f.Depends()]) -> Any:
        return [form.username, form.password, form.scopes, form.grant_type]

    answer = f.TestClient(app).post("/token", data={"username": "u", "password": "p", "scope": "a b"} | form)
    assert answer.status_code == status
    if status == 200:
        assert answer.json() == ["u", "p", ["a", "b"], form.get("grant_type")]


def test_a_subclass_refuses_in_its_own_way(f: SimpleNamespace) -> None:
    class Key(f.APIKeyHeader):
        def make_not_authenticated_error(self) -> Exception:
            return f.HTTPException(418, "no key")

    app = f.FastAPI()
    app.get("/", dependencies=[f.Security(Key(name="x"))])(lambda: None)
    assert f.TestClient(app).get("/").status_code == 418
