"""Handlers of the user's own modules: the same on our server, under another one, and behind middleware in Python."""

from __future__ import annotations

import http.client
import json
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parent / "apps"

WAYS = {
    "native": (servers.data_bridge, "handlers:app"),
    "uvicorn": (servers.uvicorn, "handlers:app"),
    "middleware": (servers.data_bridge, "behind:app"),
}


@pytest.fixture(scope="module", params=WAYS)
def server(request: Any, modules: Path) -> Iterator[servers.Server]:
    start, target = WAYS[request.param]
    with start(target, app_dir=APPS, env={"PYTHONPATH": str(modules)}) as running:
        yield running


def ask(
    server: servers.Server, path: str, method: str = "GET", body: Any = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=servers.PATIENCE)
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, fields, encode_chunked=hasattr(body, "__next__"))
    answer = connection.getresponse()
    try:
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def text(server: servers.Server, path: str) -> str:
    status, _, body = ask(server, path)
    assert status == 200, body
    return body.decode()


def endless(server: servers.Server) -> tuple[int, int]:
    """How many futures that never end have begun, and how many of them were dropped."""
    begun, dropped = text(server, "/endless").split()
    return int(begun), int(dropped)


def test_the_example(server: servers.Server) -> None:
    status, headers, body = ask(server, "/rows/999990?limit=2")
    assert (status, headers["content-type"], int(headers["content-length"])) == (200, "application/json", len(body))
    answer = json.loads(body)
    assert answer["more"] == 8
    assert [row["price"] for row in answer["rows"]] == [999_990, 999_991]
    assert ask(server, "/rows/1000000")[0] == 404
    assert json.loads(text(server, f"/cities/{quote('Köln')}")) == {"name": "Köln", "people": 1_087_353}
    status, _, body = ask(server, "/cities/Nowhere")
    assert (status, json.loads(body)) == (404, {"detail": "there is no such city", "code": "no_such_city"})


def test_all_parts_of_a_head(server: servers.Server) -> None:
    _, _, body = ask(
        server, "/all/7?tag=a&limit=5&tag=b%20c&other=1", cookie='session="x%20y"; z=1', user_agent="me", x_count="-3"
    )
    assert json.loads(body) == {
        "id": 7,
        "filter": {"limit": 5, "tag": ["a", "b c"]},
        "agent": {"user_agent": "me", "x_count": -3},
        "session": "x y",
    }
    assert text(server, "/pair/a%20b/-4") == "a b:-4"
    assert text(server, "/named/true/x") == "x:true"


@pytest.mark.parametrize(
    ("path", "kind", "place"),
    [
        ("/all/x", "invalid", ["path", "id"]),
        ("/all/1?limit=256", "invalid", ["query", "limit"]),
        ("/pair/a/b", "invalid", ["path", "second"]),
        ("/all/1", "missing", ["header", "user-agent"]),
    ],
)
def test_what_does_not_fit_is_a_422(server: servers.Server, path: str, kind: str, place: list[str]) -> None:
    status, _, body = ask(server, path)
    (problem,) = json.loads(body)["detail"]
    assert (status, problem["type"], problem["loc"]) == (422, kind, place)


@pytest.mark.parametrize("path", ["/all/x", "/all/1?limit=y", "/all/1"])
def test_it_has_the_form_of_routes_in_python(server: servers.Server, path: str) -> None:
    headers = {"user_agent": "me"} if path != "/all/1" else {}
    ours, python = (ask(server, f"{prefix}{path}", **headers) for prefix in ("", "/python"))
    assert (ours[0], ours[1]["content-type"]) == (python[0], python[1]["content-type"]) == (422, "application/json")
    (problem,), (wanted,) = (json.loads(answer[2])["detail"] for answer in (ours, python))
    assert problem.keys() == wanted.keys() - {"ctx"}
    assert (problem["loc"], problem["input"]) == (wanted["loc"], wanted["input"])


@pytest.mark.parametrize("body", ["", "{", '{"amount": 1,}'])
def test_so_have_bodies_that_are_no_json(server: servers.Server, body: str) -> None:
    ours, python = (
        ask(server, path, "POST", body, content_type="application/json") for path in ("/doubled", "/python/doubled")
    )
    (problem,), (wanted,) = (json.loads(answer[2])["detail"] for answer in (ours, python))
    assert (ours[0], problem.keys()) == (python[0], wanted.keys())
    assert (problem["type"], problem["msg"], problem["input"]) == (wanted["type"], wanted["msg"], wanted["input"])


def test_a_handler_may_answer_to_it(server: servers.Server) -> None:
    status, headers, _ = ask(server, "/lenient?limit=5")
    assert (status, headers["location"]) == (303, "/5")
    assert text(server, "/lenient?limit=x") == '422: "x" is not a natural number of 8 bits'


def test_method_and_target(server: servers.Server) -> None:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=servers.PATIENCE)
    for method in ("GET", "POST"):
        connection.request(method, "/target?a=%20b")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["content-type"]) == (202, "text/html; charset=utf-8")
        assert answer.read() == b"<p>"
        assert answer.headers.get_all("x-target") == ["/target?a=%20b", method]
    connection.close()


def test_bodies(server: servers.Server) -> None:
    given = json.dumps({"amount": 21})
    assert json.loads(ask(server, "/doubled", "POST", given, content_type="application/json")[2]) == {"amount": 42}
    assert ask(server, "/doubled", "POST", given, content_type="text/plain")[0] == 415
    assert ask(server, "/doubled", "POST", "{", content_type="application/json")[0] == 422
    assert ask(server, "/length", "POST", b"x" * 100_000)[2] == b"100000"
    assert ask(server, "/length", "POST", b"")[2] == b"0"
    parts = [b"%05d" % number * 1000 for number in range(50)]
    assert ask(server, "/echoed", "POST", iter(parts))[2] == b"".join(parts)
    assert ask(server, "/echoed", "POST", b"known")[2] == b"known"


def test_answers(server: servers.Server) -> None:
    status, headers, body = ask(server, "/made")
    assert (status, headers["x-many"], body) == (201, "2", b"made")
    status, headers, body = ask(server, "/nothing", "DELETE")
    assert (status, body) == (204, b"")
    assert ask(server, "/nothing")[0] == 405
    assert text(server, "/numbers") == "line 1\nline 2\nline 3\n"
    assert ask(server, "/large")[2] == b"x" * 1_000_000
    assert ask(server, "/large", "HEAD")[1]["content-length"] == "1000000"
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        ask(server, "/broken_off")


def test_a_mount(server: servers.Server) -> None:
    assert text(server, "/site") == text(server, "/site/") == "the root"
    assert text(server, "/site/hello/you") == "hello you"
    assert text(server, "/site/slept") == "slept"
    assert ask(server, "/site/echo", "POST", b"to axum")[2] == b"to axum"
    parts = [b"%05d" % number * 1000 for number in range(50)]
    assert ask(server, "/site/streamed", "PUT", iter(parts))[2] == b"".join(parts)
    status, headers, body = ask(server, "/site/echo", "DELETE")
    assert (status, headers["allow"], body) == (405, "POST", b"")
    status, headers, body = ask(server, "/site/hello/you", "HEAD")
    assert (status, headers["content-length"], body) == (200, "9", b"")
    status, _, body = ask(server, "/site/none")
    assert (status, body) == (404, b"")
    assert ask(server, "/sites")[0] == 404


@pytest.mark.parametrize("path", ["/panics", "/panics_later", "/panics_there"])
def test_a_panic_is_a_500(server: servers.Server, path: str) -> None:
    status, _, body = ask(server, path)
    assert (status, body) == (500, b"Internal Server Error")
    assert text(server, "/python") == '"python"'


def test_shared_state(server: servers.Server) -> None:
    first = int(text(server, "/count"))
    assert int(text(server, "/count")) == first + 1
    assert text(server, "/lives") == "1 0"


@pytest.mark.parametrize("path", ["/never", "/never_there"])
def test_a_handler_that_never_ends(server: servers.Server, path: str) -> None:
    begun, dropped = endless(server)
    assert ask(server, f"{path}/limited")[0] == 504
    server.wait_until(lambda: endless(server) == (begun + 1, dropped + 1))
    # A client that leaves, with a reset.
    with socket.create_connection((server.host, server.port), servers.PATIENCE) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        server.wait_until(lambda: endless(server) == (begun + 2, dropped + 1))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.wait_until(lambda: endless(server) == (begun + 2, dropped + 2))


def test_what_happened_is_logged(server: servers.Server) -> None:
    assert ask(server, "/panics")[0] == 500
    server.wait_for("at once")
