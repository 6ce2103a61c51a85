"""A file of 1 GiB in a multipart form: CPU and memory of reading it, ours beside Starlette with python-multipart.

Each runs in a process of its own and gets the body in the same pieces, as a server would give them. Run it where both
are installed: `python benchmarks/uploads.py [MEBIBYTES]`, by `make bench-uploads` on a release build.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

# The script's own folder holds a `json.py`, which nobody below may find.
sys.path.pop(0)

PIECE = 64 * 1024
MIB = 1024 * 1024
HEAD = b'--boundary\r\nContent-Disposition: form-data; name="file"; filename="large"\r\n\r\n'
TAIL = b"\r\n--boundary--\r\n"
SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/",
    "query_string": b"",
    "headers": [(b"content-type", b"multipart/form-data; boundary=boundary")],
}


def receiving(mebibytes: int, piece: bytes) -> Callable[[], Awaitable[dict[str, Any]]]:
    """A `receive` that gives the form."""
    pieces = mebibytes * MIB // PIECE
    bodies = iter([HEAD, *[piece] * pieces, TAIL])
    left = pieces + 2

    async def receive() -> dict[str, Any]:
        nonlocal left
        left -= 1
        return {"type": "http.request", "body": next(bodies), "more_body": left > 0}

    return receive


async def read(package: str, mebibytes: int) -> None:
    """Read the form once, and check it."""
    request_type = import_module(f"{package}.requests").Request
    # Text has line breaks to stumble over; random bytes have few.
    piece = (b"0123456789abcdef" * 5 + b"\r\n") * (PIECE // 82 + 1)
    form = await request_type(SCOPE, receiving(mebibytes, piece[:PIECE])).form()
    file = form["file"]
    assert file.size == mebibytes * MIB
    await file.seek(file.size - PIECE)
    assert await file.read() == piece[:PIECE]
    await form.close()


def measure(package: str, mebibytes: int) -> None:
    """Print seconds of CPU and mebibytes of memory that the form took."""
    asyncio.run(read(package, 2))
    before = resource.getrusage(resource.RUSAGE_SELF)
    asyncio.run(read(package, mebibytes))
    after = resource.getrusage(resource.RUSAGE_SELF)
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    print(user, system, (after.ru_maxrss - before.ru_maxrss) / 1024)


def main() -> None:
    """Compare."""
    mebibytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    totals = {}
    for package in ("data_bridge", "starlette"):
        command = [sys.executable, __file__, str(mebibytes), package]
        figures = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        user, system, grown = map(float, figures)
        totals[package] = user + system
        print(
            f"{package:12} {mebibytes} MiB: {user:.2f} s user + {system:.2f} s system, memory grew by {grown:.1f} MiB"
        )
    print(f"data_bridge takes {totals['data_bridge'] / totals['starlette']:.2f} of Starlette's CPU")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        measure(sys.argv[2], int(sys.argv[1]))
    else:
        main()
