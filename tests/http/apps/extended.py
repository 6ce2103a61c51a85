"""A raw ASGI app that uses what goes beyond ASGI's core: early hints, trailers, files by path and by descriptor."""

import contextlib
import json
import os
import pathlib

FOLDER = pathlib.Path(os.environ["TEST_FOLDER"])
FILE = FOLDER / "file"


def start(*headers, trailers=False):
    return {"type": "http.response.start", "status": 200, "headers": headers, "trailers": trailers}


def body(text=b"", more=False):
    return {"type": "http.response.body", "body": text, "more_body": more}


def length(count):
    return (b"content-length", str(count).encode())


async def extensions(scope, send):
    await send(start())
    await send(body(json.dumps(scope["extensions"]).encode()))
    scope["extensions"]["own"] = {}


async def hints(_scope, send):
    for links in ([b"</a.css>; rel=preload", b"</b.js>; rel=preload"], [b"</c>"]):
        await send({"type": "http.response.early_hint", "links": links})
    await send(start())
    await send(body(b"hinted"))


async def bad_hints(_scope, send):
    refused = []
    for links in ([b"a\r\nx-injected: 1"], [b"a\n"], ["text"], 1):
        try:
            await send({"type": "http.response.early_hint", "links": links})
        except (RuntimeError, TypeError) as error:
            refused.append(type(error).__name__)
    await send(start())
    with contextlib.suppress(RuntimeError):
        await send({"type": "http.response.early_hint", "links": [b"late"]})
        refused.append("nothing")
    await send(body(json.dumps(refused).encode()))


async def path(_scope, send):
    await send(start(length(FILE.stat().st_size)))
    await send({"type": "http.response.pathsend", "path": str(FILE)})


async def path_in_chunks(_scope, send):
    await send(start(trailers=True))
    await send({"type": "http.response.pathsend", "path": str(FILE)})
    await send({"type": "http.response.trailers", "headers": [(b"x-sum", b"1")]})


async def missing(_scope, send):
    refused = []
    await send(start())
    for name in ("missing", "."):
        try:
            await send({"type": "http.response.pathsend", "path": str(FOLDER / name)})
        except OSError as error:
            refused.append(type(error).__name__)
    await send(body(json.dumps(refused).encode()))


async def parts(_scope, send):
    """Bytes, a part of a file at an offset, bytes, the file from its position on, and once more where that left it."""
    with FILE.open("rb") as file:
        await send(start())
        await send(body(b"<", more=True))
        await send({"type": "http.response.zerocopysend", "file": file, "offset": 5, "count": 10, "more_body": True})
        await send(body(b"|", more=True))
        file.seek(3)
        for _ in range(2):
            await send({"type": "http.response.zerocopysend", "file": file, "count": 4, "more_body": True})
        assert file.tell() == 11
        await send({"type": "http.response.zerocopysend", "file": file, "offset": 10**9, "more_body": True})
    await send(body(b">"))


async def too_long(_scope, send):
    await send(start(length(10)))
    with FILE.open("rb") as file:
        await send({"type": "http.response.zerocopysend", "file": file})


async def too_short(_scope, send):
    await send(start(length(10**9)))
    with FILE.open("rb") as file:
        await send({"type": "http.response.zerocopysend", "file": file})


async def truncated(_scope, send):
    """The file ends before what was promised of it."""
    with (FOLDER / "shrinking").open("w+b") as file:
        file.truncate(1 << 30)
        await send(start(length(1 << 30)))
        sending = send({"type": "http.response.zerocopysend", "file": file})
        file.truncate(1000)
        await sending


async def wrong_files(_scope, send):
    refused = []
    await send(start())
    with FILE.open("rb") as file, contextlib.closing(os.fdopen(os.pipe()[0])) as pipe:
        for message in (
            {"file": pipe},
            {"file": file, "offset": -1},
            {"file": file, "count": "x"},
            {"file": b"bytes"},
            {},
        ):
            try:
                await send({"type": "http.response.zerocopysend", **message})
            except Exception as error:  # noqa: BLE001
                refused.append(type(error).__name__)
    await send(body(json.dumps(refused).encode()))


HANDLERS = {
    f"/{handler.__name__}": handler
    for handler in (
        extensions,
        hints,
        bad_hints,
        path,
        path_in_chunks,
        missing,
        parts,
        too_long,
        too_short,
        truncated,
        wrong_files,
    )
}


async def app(scope, _receive, send):
    if scope["type"] == "lifespan":
        raise RuntimeError("no lifespan here")
    await HANDLERS[scope["path"]](scope, send)
