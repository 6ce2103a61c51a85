"""`python -m tests.native.memory`: requests of every kind to native handlers, on a server that valgrind watches.

Fails where valgrind finds an invalid access, or memory that nobody can reach any more, in the server's process.
"""

from __future__ import annotations

import http.client
import socket
import struct
import sys
import tempfile
from pathlib import Path

from tests.support import modules, servers

APPS = Path(__file__).parent / "apps"
SUPPRESSIONS = Path(__file__).parents[1] / "json" / "cpython.supp"
VALGRIND = [
    "valgrind",
    "--error-exitcode=3",
    f"--suppressions={SUPPRESSIONS}",
    # What CPython computes of values that it throws away is no matter of ours; `make valgrind-json` looks at that.
    "--undef-value-errors=no",
    "--read-inline-info=no",
    "--leak-check=full",
    "--show-leak-kinds=definite",
    "--errors-for-leak-kinds=definite",
]
ROUNDS = 5
GETS = (
    "/rows/5 /rows/x /rows/9000000 /cities/Bonn /all/1?tag=a&tag=b /pair/a/1 /made /numbers /broken_off /large /odd"
    " /panics /panics_later /panics_there /never/limited /never_there/limited /count /site /site/hello/you /site/slept"
)


def ask(server: servers.Server, method: str, path: str, body: bytes | None = None) -> None:
    """Ask, whatever the answer is."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=120)
    try:
        connection.request(method, path, body, {"user-agent": "valgrind", "content-type": "application/json"})
        connection.getresponse().read()
    except (http.client.HTTPException, ConnectionError):
        pass
    finally:
        connection.close()


def leave(server: servers.Server, path: str, *, sent: bytes = b"") -> None:
    """Begin a request, and go with a reset."""
    with socket.create_connection((server.host, server.port), 120) as client:
        client.sendall(f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n".encode() + sent)
        ask(server, "GET", "/endless")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def main() -> int:
    """Run the server, ask it, stop it; give valgrind's verdict."""
    folder = Path(tempfile.mkdtemp())
    modules.cases(folder)
    modules.wheel(modules.ROOT / "examples" / "native_wheel", folder)
    env = {"PYTHONPATH": str(folder), "PYTHONMALLOC": "malloc"}
    command = [
        *VALGRIND,
        sys.executable,
        "-m",
        "data_bridge",
        "run",
        "handlers:app",
        "--port",
        "0",
        "--app-dir",
        str(APPS),
    ]
    servers.PATIENCE = 300.0
    with servers.running(command, APPS, env) as server:
        for _ in range(ROUNDS):
            for path in GETS.split():
                ask(server, "GET", path)
            for path in ("/doubled", "/length", "/echoed", "/site/echo"):
                ask(server, "POST", path, b'{"amount": 1}')
                ask(server, "POST", path, b"x" * 100_000)
                leave(server, path, sent=b"x" * 50_000)
        code = server.stop()
    print(server.output[-2000:])
    return code


if __name__ == "__main__":
    sys.exit(main())
