"""The server's limits in a few minutes: slow clients beside a thousand good ones, large bodies, floods, no descriptors
left, a stop amid open requests, how soon a handler is cancelled. Prints a line for each; fails where one is not held.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import select
import signal
import socket
import statistics
import struct
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
MIB = 1 << 20
GIB = 1 << 30
GOOD = 1000
GET = b"GET %b HTTP/1.1\r\nhost: x\r\n\r\n"
QUIET = ("--no-access-log",)

failed: list[str] = []


def held(what: str, figure: float, limit: float, unit: str) -> None:
    """Print a line, and take note where the limit is not held."""
    mark = "held" if figure <= limit else "NOT HELD"
    print(f"{what}: {figure:.3g} {unit} (at most {limit:g}): {mark}", flush=True)
    if figure > limit:
        failed.append(what)


def serve(*options: str, app: str = "served:app") -> contextlib.AbstractContextManager[servers.Server]:
    return servers.data_bridge(app, *QUIET, *options, app_dir=HERE)


def connect(server: servers.Server) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout=servers.PATIENCE)


def memory(server: servers.Server) -> int:
    """Bytes resident."""
    statm = Path(f"/proc/{server.process.pid}/statm").read_text(encoding="ascii")
    return int(statm.split()[1]) * resource.getpagesize()


def cpu(server: servers.Server) -> float:
    """Seconds of processor time."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


@contextlib.contextmanager
def growth(server: servers.Server, what: str, limit: float) -> Iterator[None]:
    """How much more memory the server takes than before, at the worst."""
    with connect(server) as sock:
        sock.sendall(GET % b"/")
        sock.recv(65536)
    before = worst = memory(server)
    stop = threading.Event()

    def watch() -> None:
        nonlocal worst
        while not stop.wait(0.02):
            worst = max(worst, memory(server))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()
    held(f"memory: {what}", (worst - before) / MIB, limit, "MiB more")


def ends(sock: socket.socket, patience: float, drip: bytes = b"") -> float:
    """Seconds until the server ends a connection; `drip` is sent meanwhile."""
    began = time.monotonic()
    poll = select.poll()
    poll.register(sock, select.POLLRDHUP | select.POLLERR | select.POLLHUP)
    while time.monotonic() - began < patience:
        if poll.poll(200):
            return time.monotonic() - began
        if drip:
            with contextlib.suppress(OSError):
                sock.sendall(drip)
    return patience


async def good(port: int, stop: asyncio.Event) -> int:
    """A request now and then, on one connection; each has to be answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    done = 0
    while not stop.is_set():
        writer.write(GET % b"/")
        answer = await reader.readuntil(b"hello")
        assert answer.startswith(b"HTTP/1.1 200"), answer
        done += 1
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 1)
    writer.close()
    return done


def slow_clients() -> None:
    limit = 3.0
    names = ("--header-timeout", "--keep-alive-timeout", "--body-timeout", "--write-timeout")
    options = [word for name in names for word in (name, str(limit))]
    clients: dict[str, tuple[bytes, bytes]] = {
        "a silent client": (b"", b""),
        "a slow header": (b"GET / HTTP/1.1\r\n", b"x: y\r\n"),
        "idle keep-alive": (GET % b"/", b""),
        "a body that stops": (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\nx", b""),
        "a client that does not read": (GET % b"/download", b""),
    }
    with serve(*options) as server:

        async def both() -> None:
            stop = asyncio.Event()
            well = [asyncio.ensure_future(good(server.port, stop)) for _ in range(GOOD)]
            await asyncio.sleep(1)
            socks = {name: connect(server) for name in clients}
            for name, (first, _) in clients.items():
                socks[name].sendall(first)
            seconds = await asyncio.gather(
                *(asyncio.to_thread(ends, socks[name], 4 * limit, drip) for name, (_, drip) in clients.items())
            )
            stop.set()
            done = await asyncio.gather(*well)
            for name, figure in zip(clients, seconds, strict=True):
                assert figure >= limit - 0.1, f"{name} was cut too soon"
                held(f"cut: {name}, beside {GOOD} good clients", figure, limit + 1, "s")
            print(f"the good clients had {sum(done)} answers, and no failure", flush=True)

        asyncio.run(both())


def upload() -> None:
    with serve() as server, growth(server, "an upload of 1 GiB to a slow handler", 4), connect(server) as sock:
        sock.settimeout(600)
        sock.sendall(b"POST /sleepy HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % GIB)
        block = bytes(MIB)
        for _ in range(GIB // MIB):
            sock.sendall(block)
        assert sock.recv(65536).endswith(b"%d" % GIB)


def download(seconds: float = 60) -> None:
    with serve("--write-timeout", "5") as server, connect(server) as sock:
        with growth(server, f"a download of 1 GiB to a client that reads slowly for {seconds:.0f} s", 4):
            sock.sendall(GET % b"/download")
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                assert sock.recv(65536), "cut too soon"
                time.sleep(0.05)
        held("cut: the same client once it has stopped reading", ends(sock, 20), 6.5, "s")


def flood() -> None:
    what = "4 s of pipelined requests whose answers nobody reads"
    with serve() as server, growth(server, what, 4), connect(server) as sock:
        sock.setblocking(False)
        requests = GET % b"/" * 1000
        until = time.monotonic() + 4
        while time.monotonic() < until:
            try:
                sock.send(requests)
            except BlockingIOError:
                time.sleep(0.01)


def exhausted() -> None:
    """No descriptor is left to accept with."""
    with serve() as server:
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (40, 40))
        socks = [connect(server) for _ in range(60)]
        time.sleep(1)
        before, seconds = cpu(server), 5.0
        time.sleep(seconds)
        held("CPU while no descriptor is left", 100 * (cpu(server) - before) / seconds, 1, "%")
        began = time.monotonic()
        for sock in socks:
            sock.close()
        with connect(server) as sock:
            sock.sendall(GET % b"/")
            assert b" 200 " in sock.recv(65536)
        held("answered after descriptors are there again", time.monotonic() - began, 0.5, "s")


def stop() -> None:
    """SIGTERM amid an event stream, a long poll, an idle connection and responses that have begun or soon will."""
    grace = 2.0
    with serve("--graceful-timeout", str(grace)) as server:
        open_ones = {path: connect(server) for path in (b"/events", b"/wait", b"/", b"/second")}
        for path, sock in open_ones.items():
            sock.sendall(GET % path)
        for path in (b"/events", b"/"):
            assert b" 200 " in open_ones[path].recv(65536)
        time.sleep(0.2)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        last = open_ones[b"/second"].recv(65536)
        assert server.process.wait(servers.PATIENCE) == 0
        held("SIGTERM amid open requests, to the end of the process", time.monotonic() - began, grace + 2, "s")
        assert last.endswith(b"hello"), "a response in progress was lost"
    assert "shutdown was run" in server.output, "the lifespan's shutdown was left out"


def times(server: servers.Server) -> list[float]:
    with connect(server) as sock:
        sock.sendall(GET % b"/cancelled")
        found: list[float] = json.loads(sock.recv(1 << 20).partition(b"\r\n\r\n")[2])
    return found


def delays(server: servers.Server, path: bytes, leave: Callable[[socket.socket], float]) -> float:
    """The median of the milliseconds from when a handler should end until it was cancelled."""
    found = []
    for _ in range(25):
        before = len(times(server))
        sock = connect(server)
        sock.sendall(GET % path)
        time.sleep(0.02)
        due = leave(sock)
        while len(seen := times(server)) == before:
            time.sleep(0.005)
        found.append(seen[-1] - due)
        sock.close()
    return 1000 * statistics.median(found)


def promptness() -> None:
    grace = 0.3

    def reset(sock: socket.socket) -> float:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        due = time.monotonic()
        sock.close()
        return due

    def fin(sock: socket.socket) -> float:
        due = time.monotonic() + grace
        sock.shutdown(socket.SHUT_WR)
        return due

    def late(sock: socket.socket) -> float:
        # The handler has 0.2 s, 0.02 of which have passed.
        due = time.monotonic() + 0.18
        assert b" 504 " in sock.recv(65536)
        return due

    with serve("--disconnect-grace", str(grace), app="prompt:app") as server:
        held("a reset cancels a GET handler", delays(server, b"/wait", reset), 50, "ms")
        held("a FIN cancels a GET handler after its grace", delays(server, b"/wait", fin), 50, "ms")
        held("a deadline is a 504 and cancels the handler", delays(server, b"/late", late), 50, "ms")


def main() -> int:
    """Runs all; the exit code says whether all held."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    parts = (promptness, slow_clients, flood, exhausted, stop, upload, download)
    wanted = sys.argv[1:]
    for part in parts:
        if not wanted or part.__name__ in wanted:
            part()
    print("not held: " + ", ".join(failed) if failed else "all held")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
