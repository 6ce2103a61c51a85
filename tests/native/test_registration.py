"""What is wrong with a native handler is said when it is registered; what is right stands in routes and OpenAPI."""

from __future__ import annotations

import ctypes
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from data_bridge import App
from data_bridge.testclient import TestClient

APPS = Path(__file__).parent / "apps"


@pytest.fixture
def cases(modules: Path) -> Any:
    return importlib.import_module("native_cases")


def capsule(name: bytes, pointer: int) -> Any:
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    return new(pointer, name, None)


class Beginning(ctypes.Structure):
    """What every version of a handler begins with."""

    _fields_ = (("size", ctypes.c_size_t), ("version", ctypes.c_uint32))


def test_another_version_is_an_import_error() -> None:
    other = Beginning(1000, 2)
    name = b"data_bridge.native.v2"
    with pytest.raises(ImportError, match="another ABI \\(version 2\\).*data-bridge-sdk of that release"):
        App().native("/", capsule(name, ctypes.addressof(other)))
    # The right name, and something else behind it; or an earlier state of this version.
    name = b"data_bridge.native.v1"
    for beginning in (other, Beginning(8, 1)):
        with pytest.raises(ImportError, match="another ABI"):
            App().native("/", capsule(name, ctypes.addressof(beginning)))


def test_something_else_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="is no native handler"):
        App().native("/", capsule(b"datetime.datetime_CAPI", 8))
    with pytest.raises(TypeError):
        App().native("/", object())


@pytest.mark.parametrize(
    ("name", "path", "problem"),
    [
        ("all", "/{item}", r"takes the path parameters \(id\), and the path has \(item\)"),
        ("all", "/", r"and the path has \(\)"),
        ("pair", "/{first}", r"\(first, second\), and the path has \(first\)"),
        ("named", "/{first}/{third}", r"\(first, second\), and the path has \(first, third\)"),
        ("wrong_state", "/", "takes a state of type alloc::string::String, which its module does not make"),
        ("site", "/{id}", "is a mount, whose path has no parameters"),
    ],
)
def test_mistakes(cases: Any, name: str, path: str, problem: str) -> None:
    with pytest.raises((ValueError, AssertionError), match=problem):
        App().native(path, getattr(cases, name))


def test_states_live_from_start_to_stop(cases: Any) -> None:
    app = App()
    app.native("/lives", cases.lives)
    app.native("/count", cases.count)

    def lives(client: TestClient) -> tuple[int, int]:
        made, gone = client.get("/lives").text.split()
        return int(made), int(gone)

    with TestClient(app) as client:
        made, gone = lives(client)
        assert made == gone + 1
        assert [client.get("/count").text for _ in range(3)] == ["0", "1", "2"]
        # A second app of the same module shares its state.
        other = App()
        other.native("/count", cases.count)
        with TestClient(other) as second:
            assert second.get("/count").text == "3"
    # Started anew, as when an app is reloaded: dropped and made once more.
    with TestClient(app) as client:
        assert lives(client) == (made + 1, gone + 1)
        assert client.get("/count").text == "0"


def test_without_a_lifespan_the_first_request_starts(cases: Any) -> None:
    app = App()
    app.native("/count", cases.count)
    assert TestClient(app).get("/count").text == "0"


def test_the_document(cases: Any) -> None:
    app = App()
    app.native("/all/{id}", cases.all)
    app.native("/doubled", cases.doubled, methods=["POST"])
    app.native("/hidden", cases.numbers, include_in_schema=False)
    app.native("/site", cases.site)
    document = app.openapi()
    assert set(document["paths"]) == {"/all/{id}", "/doubled"}
    described = document["paths"]["/all/{id}"]["get"]
    places = [(param["in"], param["name"], param["required"]) for param in described["parameters"]]
    assert places == [
        ("path", "id", True),
        ("query", "limit", False),
        ("query", "tag", False),
        ("header", "user-agent", True),
        ("header", "x-count", False),
        ("cookie", "session", False),
    ]
    assert described["summary"] == "All parts of a head."
    reference = described["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    assert set(document["components"]["schemas"][reference.rpartition("/")[2]]["properties"]) == {
        "id",
        "filter",
        "agent",
        "session",
    }
    body = document["paths"]["/doubled"]["post"]["requestBody"]
    assert body["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Amount"}


def test_routes_says_t0(modules: Path) -> None:
    command = [sys.executable, "-m", "data_bridge", "routes", "handlers:app", "--app-dir", str(APPS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(modules)})
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["GET", "HEAD", "/rows/{price}", "T0"] in rows
    assert ["-", "/site", "T0"] in rows
