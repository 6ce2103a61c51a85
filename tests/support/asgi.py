"""One request through an ASGI app, without a server: for differential tests by the thousand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Answer(NamedTuple):
    """What the app sent."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def scope(
    method: str, path: str, query: bytes = b"", headers: Iterable[tuple[bytes, bytes]] = (), **changes: Any
) -> dict[str, Any]:
    """Make the scope of a request as a server would; ``path`` is percent-decoded."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "surrogateescape"),
        "query_string": query,
        "root_path": "",
        "headers": [(b"host", b"server"), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("server", 80),
        "state": {},
        **changes,
    }


async def call(app: Any, given: dict[str, Any], body: bytes = b"") -> Answer:
    """Give what ``app`` answers; raises what it raises."""
    sent: list[dict[str, Any]] = []
    incoming = iter([{"type": "http.request", "body": body, "more_body": False}])
    answered = asyncio.Event()

    async def receive() -> Any:
        for message in incoming:
            return message
        await answered.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            answered.set()

    await app(given, receive, send)
    return Answer(sent[0]["status"], list(sent[0].get("headers", ())), b"".join(m.get("body", b"") for m in sent[1:]))
