"""What the server counts beside what was really sent, and its probes: also while no Python code can run."""

from __future__ import annotations

import select
import signal
import socket
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.support import servers
from tests.support.figures import Figures, await_figures, monitor, read
from tests.support.gil import held
from websockets.sync.client import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parent / "apps"
COUNTS = ("--metrics-port", "0", "--no-access-log")
REQUEST = b"GET /items/7 HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def server() -> Iterator[servers.Server]:
    with servers.data_bridge("counted:app", *COUNTS, app_dir=APPS) as running:
        yield running


def dial(server: servers.Server) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout=servers.PATIENCE)


def ask(connection: socket.socket, path: str) -> bytes:
    connection.sendall(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path.encode())
    return connection.recv(65536)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_requests_by_route_and_status(server: servers.Server) -> None:
    expected: dict[tuple[str, str, str], int] = {}

    def count(method: str, route: str, status: int, times: int = 1) -> None:
        key = (method, route, str(status))
        expected[key] = expected.get(key, 0) + times

    with httpx.Client(base_url=server.url) as client, httpx.Client(base_url=server.url, http1=False, http2=True) as two:
        for number in range(20):
            assert client.get(f"/items/{number}").status_code == 200
            assert two.get(f"/items/{number}").status_code == 200
        count("GET", "/items/{number}", 200, 40)
        for asking, method, path, route, status in (
            (client, "GET", "/items/none", "/items/{number}", 422),
            (client, "POST", "/items", "/items", 422),
            (client, "DELETE", "/items/1", "unmatched", 405),
            (client, "GET", "/nowhere/1", "unmatched", 404),
            (client, "GET", "/nowhere/2", "unmatched", 404),
            (client, "GET", "/boom", "/boom", 500),
            (two, "GET", "/boom", "/boom", 500),
            (client, "GET", "/stream", "/stream", 200),
            (two, "GET", "/stream", "/stream", 200),
            (client, "GET", "/native", "/native", 200),
            (client, "GET", "/openapi.json", "app", 200),
        ):
            assert asking.request(method, path).status_code == status
            count(method, route, status)
        for asking in (client, two):
            with pytest.raises(httpx.RemoteProtocolError):
                asking.get("/broken")
            count("GET", "/broken", 500)
    with dial(server) as wrong:
        wrong.sendall(b"nonsense\r\n\r\n")
        assert b" 400 " in wrong.recv(65536)
        count("other", "refused", 400)
    with connect(f"ws://{server.host}:{server.port}/ws") as websocket:
        websocket.send("hello")
        assert websocket.recv() == "hello"
        count("GET", "/ws", 101)
        assert read(server).get("connections", state="websocket") == 1
    cut = dial(server)
    cut.sendall(b"GET /waits HTTP/1.1\r\nHost: a\r\n\r\n")
    await_figures(server, lambda figures: figures.get("requests_in_flight") == 1)
    reset(cut)
    count("GET", "/waits", 499)

    def complete(figures: Figures) -> bool:
        return figures.answered() == expected and figures.get("requests_in_flight") == 0

    figures = await_figures(server, complete)
    for (method, route), total in _sums(expected).items():
        assert figures.get("request_duration_seconds_count", method=method, route=route) == total
    assert figures.families["data_bridge_request_duration_seconds"].type == "histogram"
    # The App answered these in Python.
    assert figures.get("request_queue_seconds_count") >= 40


def _sums(expected: dict[tuple[str, str, str], int]) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for (method, route, _), count in expected.items():
        sums[method, route] = sums.get((method, route), 0) + count
    return sums


def test_bytes_and_connections(server: servers.Server) -> None:
    with dial(server) as one, dial(server):
        answer = ask(one, "/native")
        figures = await_figures(server, lambda figures: figures.get("connections", state="idle") == 2)
        assert figures.get("connections_accepted_total") == 2
        assert figures.get("received_bytes_total") == len(b"GET /native HTTP/1.1\r\nHost: a\r\n\r\n")
        assert figures.get("sent_bytes_total") == len(answer)
    await_figures(server, lambda figures: figures.get("connections", state="idle") == 0)
    with httpx.Client(http1=False, http2=True) as client:
        size = len(client.get(server.url + "/stream").content)
        # The monitor is a thread of its own: it may be asked before what has just been sent is counted.
        figures = await_figures(server, lambda figures: figures.get("sent_bytes_total") - len(answer) > size)
        assert figures.get("connections", state="http2") == 1
        assert figures.get("sent_bytes_total") - len(answer) < size + 1000


def test_app_metrics(server: servers.Server) -> None:
    for path in ("/items/1", "/items/none", "/nowhere", "/boom"):
        httpx.get(server.url + path)
    await_figures(server, lambda figures: sum(figures.answered().values()) == 4)
    summary = httpx.get(server.url + "/summary").json()
    assert (summary["total_requests"], summary["active_requests"]) == (4, 1)
    assert (summary["client_errors"], summary["server_errors"]) == (2, 1)
    assert summary["requests_per_second"] > 0
    assert 0 < summary["p50_latency_ms"] <= summary["p95_latency_ms"] <= summary["p99_latency_ms"]
    assert summary["mean_latency_ms"] > 0
    text = Figures(httpx.get(server.url + "/text").text)
    assert text.answered()["GET", "/items/{number}", "200"] == 1


def test_on_the_apps_own_addresses() -> None:
    options = ("--metrics-path", "/figures", "--health", "--no-access-log")
    with servers.data_bridge("counted:plain", *options, app_dir=APPS) as server:
        for path, status in (("/livez", 200), ("/readyz", 200), ("/metrics", 202), ("/figures", 200)):
            assert httpx.get(server.url + path).status_code == status
        assert httpx.head(server.url + "/livez").text == ""
        assert httpx.post(server.url + "/livez").headers["allow"] == "GET, HEAD"
        figures = Figures(httpx.get(server.url + "/figures").text)
        assert figures.answered()["GET", "app", "202"] == 1
        assert figures.answered()["GET", "/livez", "200"] == 1


def test_without_being_asked_nothing_is_added() -> None:
    with servers.data_bridge("counted:app", app_dir=APPS) as server:
        assert [httpx.get(server.url + path).status_code for path in ("/metrics", "/livez", "/readyz")] == [404] * 3
        assert httpx.get(server.url + "/summary").json()["total_requests"] == 0
        assert httpx.get(server.url + "/text").text == ""


def test_probes_and_figures_while_the_gil_is_held(server: servers.Server, tmp_path: Path) -> None:
    probe = monitor(server)
    with dial(server) as connection, httpx.Client() as client:
        with held(server, tmp_path, lambda path: ask(connection, path)):
            connection.sendall(REQUEST)  # for it the event loop waits for the GIL as well
            for path in ("/livez", "/readyz", "/metrics") * 3:
                assert client.get(probe + path).status_code == 200
            assert not select.select([connection], [], [], 2)[0], "the GIL was held all the time"
        assert connection.recv(65536).endswith(b'{"number":7}')
    assert read(server).get("gil_wait_seconds_sum") > 0.5


def test_a_stuck_loop_is_not_live(tmp_path: Path) -> None:
    with (
        servers.data_bridge("counted:app", *COUNTS, "--worker-timeout", "0.3", app_dir=APPS) as server,
        dial(server) as connection,
        httpx.Client() as client,
    ):

        def says(status: int) -> bool:
            return client.get(monitor(server) + "/livez").status_code == status

        server.wait_until(lambda: says(200))
        with held(server, tmp_path, lambda path: ask(connection, path)):
            connection.sendall(REQUEST)
            server.wait_until(lambda: says(503))
        server.wait_until(lambda: says(200))


def test_ready_from_the_start_to_the_stop() -> None:
    port = servers.free_port()
    options = ("--metrics-port", str(port), "--no-access-log")
    env = {"MONITOR": f"http://127.0.0.1:{port}"}
    with servers.data_bridge("counted:app", *options, app_dir=APPS, env=env) as server, dial(server) as waiting:
        assert "livez said 200 before the start" in server.output
        assert "readyz said 503 before the start" in server.output
        waiting.sendall(b"GET /waits HTTP/1.1\r\nHost: a\r\n\r\n")
        await_figures(server, lambda figures: figures.get("requests_in_flight") == 1)
        assert httpx.get(monitor(server) + "/readyz").status_code == 200
        server.process.send_signal(signal.SIGTERM)
        end = time.monotonic() + servers.PATIENCE
        while httpx.get(monitor(server) + "/readyz").status_code != 503:
            assert time.monotonic() < end
        assert httpx.get(monitor(server) + "/livez").status_code == 200
        assert read(server).get("processes", state="leaving") == 1
        reset(waiting)


def test_a_port_in_use_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = servers.command(
            "run", "counted:app", "--port", "0", "--metrics-port", str(port), "--app-dir", str(APPS), folder=APPS
        )
    assert done.returncode == 1
    assert f"127.0.0.1:{port} is in use" in done.stderr
