"""Generated tables of routes: our server finds, refuses and redirects as FastAPI's router does under uvicorn.

The table is replaced while the servers run, so that each is also a case of routes that were added later.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from tests.support import raw, servers
from tests.support.generated import cases

if TYPE_CHECKING:
    from collections.abc import Iterator

    Pair = tuple[raw.Client, raw.Client]

APPS = Path(__file__).parent / "apps"
#: The order of a route's methods in `Allow` is that of a set.
SEEDED = {"PYTHONHASHSEED": "0"}
METHODS = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "BREW"]
JSON = [(b"content-type", b"application/json")]

WORDS = st.sampled_from(["a", "b", "ab", "a.b", "A", "\u00e4", "a b", "1", "a%62", "~+$"])
CONVERTED = ["", ":int", ":float", ":uuid", ":path"]
UUID = "123e4567-e89b-12d3-a456-426614174000"
#: What stands in a request's path where a pattern has a parameter, or anywhere.
TEXTS = ["a", "b", "ab", "1", "007", "-1", "1.5", "1.", "1e5", UUID, UUID.replace("-", ""), UUID.upper(), "a.b", "a-1"]
ODD = ["", ".", "..", "%2F", "a%2Fb", "%C3%A4", "%c3%a4", "%41", "%0A", "a%0A", "%00", "%FF", "%", "%zz", "%25", "a;b"]
SEGMENTS = st.sampled_from([*TEXTS, *TEXTS, *ODD])


@st.composite
def segments(draw: Any, names: Iterator[str]) -> str:
    """One segment of a pattern; parameters get names of their own."""
    kind = draw(st.sampled_from(["word", "word", "parameter", "parameter", "mixed", "pair"]))
    if kind == "word":
        return draw(WORDS)
    one, other = (f"{{{next(names)}{draw(st.sampled_from(CONVERTED))}}}" for _ in range(2))
    if kind == "parameter":
        return one
    if kind == "mixed":
        return draw(WORDS) + one
    return one + draw(st.sampled_from([".", "-", "", "a"])) + other


@st.composite
def patterns(draw: Any, prefix: str) -> str:
    names = iter(f"{prefix}{number}" for number in range(20))
    parts = [draw(segments(names)) for _ in range(draw(st.integers(0, 3)))]
    return "/" + "/".join(parts) + draw(st.sampled_from(["", "", "/"]) if parts else st.just(""))


@st.composite
def entries(draw: Any, kinds: tuple[str, ...], depth: int = 0) -> dict[str, Any]:
    kind = draw(st.sampled_from(kinds))
    path = draw(patterns("xyz"[depth]))
    has_inner = kind in ("mount", "included")
    inner = draw(st.lists(entries(("api", "api", "route"), depth + 1), min_size=1, max_size=3)) if has_inner else []
    methods = draw(st.lists(st.sampled_from(METHODS), min_size=1, max_size=2, unique=True))
    return {"kind": kind, "path": path, "methods": methods, "inner": inner}


TABLES = st.lists(entries(("api",) * 6 + ("route", "mount", "included", "websocket")), min_size=1, max_size=8)


@st.composite
def targets(draw: Any, table: list[dict[str, Any]]) -> tuple[str, bytes]:
    """A request that hits an entry, or nearly so."""
    entry = draw(st.sampled_from(table))
    path = entry["path"]
    if entry["inner"]:
        path = path.rstrip("/") + draw(st.sampled_from(entry["inner"]))["path"]
    pieces = []
    while "{" in path:
        before, _, rest = path.partition("{")
        _, _, path = rest.partition("}")
        pieces += [written(before), draw(SEGMENTS)]
    target = "".join(pieces) + written(path)
    odd = draw(st.sampled_from(["as it is"] * 5 + ["slash", "no slash", "slashes", "more", "front"]))
    if odd == "slash":
        target += "/"
    elif odd == "no slash":
        target = target.rstrip("/") or "/"
    elif odd == "slashes":
        target = target.replace("/", "//", 1) if draw(st.booleans()) else target + "//"
    elif odd == "more":
        target += "/" + draw(SEGMENTS)
    elif odd == "front":
        target = "/" + draw(SEGMENTS) + target
    query = draw(st.sampled_from(["", "", "", "?q=1&q=%20", "?"]))
    method = draw(st.sampled_from([*entry["methods"] * 3, *METHODS]))
    return method, (target + query).encode()


def written(text: str) -> str:
    """Write the literal part of a pattern as it stands in a request."""
    return text.replace("%", "%25").replace("\u00e4", "%C3%A4").replace(" ", "%20")


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with (
        servers.data_bridge("tables:app", "--no-access-log", app_dir=APPS, env=SEEDED) as ours,
        servers.uvicorn("tables:app", "--no-access-log", app_dir=APPS, env=SEEDED) as theirs,
        raw.Client(ours.port) as one,
        raw.Client(theirs.port) as other,
    ):
        yield one, other


@cases(60)
@given(data=st.data())
def test_routes_are_found_as_by_fastapi(pair: Pair, data: st.DataObject) -> None:
    table = data.draw(TABLES)
    for client in pair:
        assert client.ask("POST", b"/-/table", JSON, json.dumps(table).encode()).status == 200
        client.ask("GET", b"/-/direct")  # the next one finds the new routes compiled
    for _ in range(12):
        method, target = data.draw(targets(table))
        ours, theirs = (client.ask(method, target) for client in pair)
        note(f"{table} {method} {target!r}")
        assert ours == theirs


def test_the_plan_took_part(pair: Pair) -> None:
    one, other = pair
    table = [{"kind": "api", "path": "/{a}/{b:int}", "methods": ["GET"], "inner": []}]
    for client in pair:
        client.ask("POST", b"/-/table", JSON, json.dumps(table).encode())
    before = [int(client.ask("GET", b"/-/direct").body) for client in pair]
    assert one.ask("GET", b"/a/1") == other.ask("GET", b"/a/1")
    after = [int(client.ask("GET", b"/-/direct").body) for client in pair]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 0]
