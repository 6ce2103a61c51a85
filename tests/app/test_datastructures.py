"""Headers, queries and responses by themselves."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from data_bridge.datastructures import Headers, MutableHeaders, QueryParams, State
from data_bridge.exceptions import HTTPException
from data_bridge.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response


def test_headers_are_found_in_any_case_and_the_first_counts():
    headers = Headers([(b"X-A", b"1"), (b"x-a", b"2"), (b"b", b"\xe4")])
    assert headers["x-A"] == "1"
    assert headers.getlist("X-a") == ["1", "2"]
    assert dict(headers) == {"x-a": "1", "b": "ä"}
    assert len(headers) == 2
    assert "B" in headers
    assert "c" not in headers
    assert headers.get("c") is None
    assert headers.multi_items() == [("x-a", "1"), ("x-a", "2"), ("b", "ä")]
    assert "x-a" in repr(headers)


def test_headers_of_a_response_can_be_changed():
    raw = [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]
    headers = MutableHeaders(raw)
    headers["A"] = "4"
    headers.append("c", "5")
    headers.append("C", "6")
    assert raw == [(b"a", b"4"), (b"b", b"2"), (b"c", b"5"), (b"c", b"6")]
    del headers["c"]
    assert raw == [(b"a", b"4"), (b"b", b"2")]
    with pytest.raises(KeyError):
        del headers["c"]
    assert headers.setdefault("b", "7") == "2"
    assert headers.setdefault("d", "8") == "8"


def test_the_last_of_a_query_counts():
    query = QueryParams(b"a=1&a=2&b=&c=%20+")
    assert dict(query) == {"a": "2", "b": "", "c": "  "}
    assert query.getlist("a") == ["1", "2"]
    assert query.multi_items() == [("a", "1"), ("a", "2"), ("b", ""), ("c", "  ")]
    assert len(query) == 3
    assert "a" in repr(query)


def test_a_state_has_what_it_was_given():
    state = State({"a": 1})
    state.b = 2
    assert (state.a, state.b) == (1, 2)
    with pytest.raises(AttributeError, match="no attribute 'c'"):
        _ = state.c


def test_length_and_type_are_stated_once():
    assert Response(b"ab").raw_headers == [(b"content-length", b"2")]
    assert Response(status_code=204).raw_headers == []
    assert PlainTextResponse("ä").headers["content-type"] == "text/plain; charset=utf-8"
    given = PlainTextResponse("ab", headers={"Content-Type": "x", "Content-Length": "2"})
    assert given.raw_headers == [(b"content-type", b"x"), (b"content-length", b"2")]
    assert Response("a", media_type="text/x; charset=latin-1").headers["content-type"] == "text/x; charset=latin-1"


def test_what_a_body_may_be():
    assert Response(bytearray(b"a")).body == Response(memoryview(b"a")).body == Response("a").body == b"a"
    assert JSONResponse({"a": float("nan")}).body == b'{"a":null}'


def test_cookies():
    response = Response()
    response.set_cookie("a", "b", expires=datetime(2026, 1, 1, tzinfo=UTC), path=None, samesite=None)
    response.set_cookie("c", "d", secure=True, httponly=True, domain="x.example")
    assert response.headers.getlist("set-cookie") == [
        "a=b; expires=Thu, 01 Jan 2026 00:00:00 GMT",
        "c=d; Domain=x.example; HttpOnly; Path=/; SameSite=lax; Secure",
    ]
    with pytest.raises(ValueError, match="samesite"):
        response.set_cookie("a", samesite="sometimes")  # type: ignore[arg-type]


def test_a_redirect_encodes_what_a_location_may_not_contain():
    assert RedirectResponse("/ä?b=c#d", 303).headers["location"] == "/%C3%A4?b=c#d"


def test_an_http_exception_says_its_status():
    assert str(HTTPException(404)) == "404: Not Found"
    assert HTTPException(400, {"a": 1}).detail == {"a": 1}
