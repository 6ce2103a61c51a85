"""Headers, mappings of several values, URLs and small values."""

from __future__ import annotations

import pytest

from tests.web.twins import OURS, http, same


@pytest.mark.parametrize(
    "arguments",
    [
        {"raw": [(b"a", b"1"), (b"a", b"2"), (b"b", b"\xe4")]},
        {"headers": {"A": "1", "b": "ä"}},
        {"scope": {"headers": ((b"a", b"1"), (b"c", b"3"))}},
        {},
        {"headers": {}, "raw": []},
        {"headers": {}, "scope": {}},
        {"raw": [], "scope": {}},
    ],
)
def test_headers(arguments):
    def look(web):
        headers = web.datastructures.Headers(**arguments)
        return (
            repr(headers),
            headers.keys(),
            headers.values(),
            headers.items(),
            headers.raw,
            headers.getlist("A"),
            headers.get("A"),
            headers.get("x"),
            "B" in headers,
            list(headers),
            len(headers),
            headers == web.datastructures.Headers(raw=headers.raw[::-1]),
            headers == dict(headers),
            headers.mutablecopy().raw == headers.raw,
        )

    same(look)


def test_headers_that_change():
    def change(web):
        raw = [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]
        headers = web.datastructures.MutableHeaders(raw=raw)
        headers["A"] = "4"
        headers.append("C", "5")
        headers.append("c", "6")
        seen = [list(raw), headers.setdefault("B", "7"), headers.setdefault("d", "8")]
        del headers["c"]
        del headers["not there"]
        headers.update({"b": "9", "e": "10"})
        headers |= {"f": "11"}
        both = headers | {"f": "12"}
        headers.add_vary_header("Origin")
        headers.add_vary_header("Accept")
        return seen, raw, both.raw, repr(both), headers.raw is raw

    assert same(change)[4]
    same(lambda web: web.datastructures.MutableHeaders() | 1)
    same(lambda web: web.datastructures.MutableHeaders().__ior__("a"))


def test_query_params():
    for query in (b"a=1&a=2&b=&c=%20+&d", "a=ä&%C3%A4=1", {"a": 1}, [("a", 1), ("a", None)], b"", b"\xff=%ff"):

        def look(web, query=query):
            params = web.datastructures.QueryParams(query, z=3) if isinstance(query, dict) else None
            params = params or web.datastructures.QueryParams(query)
            again = web.datastructures.QueryParams(params)
            return (
                repr(params),
                str(params),
                dict(params),
                params.getlist("a"),
                params.multi_items(),
                list(params.keys()),
                list(params.values()),
                list(params.items()),
                "a" in params,
                len(params),
                again == params,
                params == {},
            )

        same(look)
    same(lambda web: web.datastructures.QueryParams("a=1", "b=2"))


def test_a_multi_dict_changes():
    def change(web):
        made = web.datastructures.MultiDict([("a", 1), ("a", 2), ("b", 3)], c=4)
        seen = [made.getlist("a"), made["a"]]
        made["a"] = 5
        made.append("b", 6)
        made.setlist("d", [7, 8])
        made.setlist("c", [])
        seen += [made.multi_items(), made.setdefault("e", 9), made.setdefault("a", 10), made.pop("nothing", 11)]
        made.update({"b": 12}, f=13)
        seen += [made.multi_items(), made.pop("b"), made.poplist("d"), made.poplist("nothing"), made.popitem()]
        del made["a"]
        seen += [repr(made)]
        made.clear()
        return seen, len(made), dict(made)

    same(change)
    same(lambda web: web.datastructures.MultiDict().__delitem__("a"))
    same(lambda web: web.datastructures.ImmutableMultiDict({"a": 1}) == web.datastructures.MultiDict({"a": 1}))


URLS = [
    "https://user:pass@example.org:123/path/to/somewhere?abc=123&def=456&a=#anchor",
    "http://[::1]:8000/x",
    "http://example.org",
    "/only/path?q=1",
    "",
    "wss://example.org/ws",
]


@pytest.mark.parametrize("text", URLS)
def test_the_parts_of_a_url(text):
    def look(web):
        url = web.datastructures.URL(text)
        parts = (
            "scheme",
            "hostname",
            "port",
            "netloc",
            "username",
            "password",
            "path",
            "query",
            "fragment",
            "is_secure",
        )
        return [getattr(url, name) for name in parts], str(url), repr(url), url == text

    same(look)


@pytest.mark.parametrize("text", URLS)
@pytest.mark.parametrize(
    "change",
    [
        {"scheme": "http"},
        {"port": None},
        {"port": 90},
        {"hostname": "other.example"},
        {"hostname": "::2"},
        {"hostname": "[::3]"},
        {"hostname": "a:b"},
        {"username": "x"},
        {"username": None, "password": None},
        {"username": "x", "password": "y"},
        {"hostname": "", "path": "/y"},
        {"path": "/z", "query": "", "fragment": "f"},
        {"nothing": 1},
    ],
)
def test_a_url_with_other_parts(text, change):
    same(lambda web: str(web.datastructures.URL(text).replace(**change)))


@pytest.mark.parametrize("text", URLS)
def test_a_url_with_another_query(text):
    def change(web):
        url = web.datastructures.URL(text)
        changed = (
            url.include_query_params(abc="1 2", new=3),
            url.replace_query_params(new="ä"),
            url.remove_query_params("abc"),
            url.remove_query_params(["abc", "def", "nothing"]),
        )
        return list(map(str, changed))

    same(change)


HOSTS = [
    b"example.org",
    b"example.org:123",
    b"EXAMPLE.org:80",
    b"[::1]:8000",
    b"[v1.x]",
    b"[::x]",
    b"[1:2]",
    b"a/b",
    b"a:99999",
    b"a:000080",
    b"a:b",
    b"",
    b"a b",
    b"a@b",
    b"\xe4",
]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("server", [("testserver", 80), ("testserver", 123), ("::1", 443), None])
@pytest.mark.parametrize("path", ["/a", "//a", "/ä?#\\"])
def test_the_url_of_a_scope(host, server, path):
    scope = http((b"host", host), path=path, server=server, query_string=b"a=b")
    same(lambda web: str(web.datastructures.URL(scope=scope)))
    scope.update(headers=[], scheme="wss", query_string=b"")
    same(lambda web: str(web.datastructures.URL(scope=scope)))


def test_a_url_is_made_of_one_thing():
    same(lambda web: web.datastructures.URL("/x", scope=http()))
    same(lambda web: web.datastructures.URL(scope=http(), path="/"))
    same(lambda web: web.datastructures.URL("/x", path="/"))
    same(lambda web: str(web.datastructures.URL(scheme="http", hostname="a", port=1, path="/b", query="c")))
    same(lambda web: hash(web.datastructures.URL("/"))[0])


@pytest.mark.parametrize("path", ["/a", "//a", "/a\\b", "/ä"])
@pytest.mark.parametrize("protocol", ["", "http", "websocket"])
@pytest.mark.parametrize("host", ["", "other:90"])
@pytest.mark.parametrize("base", ["http://example.org/root/", "wss://example.org"])
def test_a_path_becomes_a_url(path, protocol, host, base):
    def make(web):
        made = web.datastructures.URLPath(path, protocol=protocol, host=host)
        url = web.datastructures.URL(base)
        return str(made), made.protocol, made.host, str(made.make_absolute_url(base)), str(made.make_absolute_url(url))

    same(make)


def test_a_state():
    def use(web):
        kept = {"a": 1}
        state = web.datastructures.State(kept)
        state.b = 2
        state["c"] = 3
        del state.a
        seen = [state.b, state["c"], kept, list(state), len(state)]
        del state["c"]
        return seen, bool(web.datastructures.State()), state._state

    same(use)
    same(lambda web: web.datastructures.State().missing)
    same(lambda web: web.datastructures.State()["missing"])


def test_small_values():
    def use(web):
        secret = web.datastructures.Secret("value")
        strings = web.datastructures.CommaSeparatedStrings
        address = web.datastructures.Address("a", 1)
        texts = strings("a, 'b c', d"), strings(["x", "y"])
        shown = [(repr(text), str(text), list(text), len(text), text[0], text[:1]) for text in texts]
        return str(secret), repr(secret), bool(secret), shown, address, address.host, address.port

    same(use)


def test_defaults_are_marked():
    from fastapi.datastructures import Default

    ours = OURS.datastructures
    for default in (ours.Default, Default):
        assert bool(default(1)) is True
        assert bool(default(0)) is False
        assert default(1) == default(1)
        assert default(1) != default(2)
        assert default(1) != 1
