"""A server's life and what its process tree used, on a real process."""

import sys
from itertools import pairwise
from pathlib import Path

import pytest
from benchmarks.driver.check import UnequalError, check
from benchmarks.driver.closed_loop import ClosedLoop
from benchmarks.driver.latency import Sample, pace, percentile
from benchmarks.driver.process import Server, StartError, free_port
from benchmarks.scenarios import Scenario
from tests.support.servers import PATIENCE

CODE = """
import http.server, sys, threading
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        sum(range(20_000))
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""
HELLO = Scenario("hello", "hello", "/", b"hello", "text/plain")


@pytest.fixture
def server(tmp_path: Path):
    port = free_port()
    with Server([sys.executable, "-c", CODE, str(port)], port=port, cwd=tmp_path, env={}, core=None) as running:
        assert running.wait_ready("/", PATIENCE) > 0
        yield running
    assert not running.alive()


def test_usage_counts_cpu_memory_and_threads(server: Server):
    before = server.usage()
    check(HELLO, server)
    used = server.usage().since(before)
    assert 0 < used.cpu < 5
    assert server.rss() > 1_000_000
    assert len(server.tree()) == 1


def test_an_unequal_answer_is_refused(server: Server):
    with pytest.raises(UnequalError, match="answered 200 text/plain b'hello'"):
        check(Scenario("other", "other", "/", b"goodbye", "text/plain"), server)


def test_paced_requests_keep_one_connection(server: Server):
    def second() -> list[Sample]:
        return pace(server.port, "/", seconds=1, interval=0.005)

    samples = next(found for found in iter(second, None) if len(found) > 1)  # a machine may stand still for one
    assert len(samples) <= 201
    assert all(earlier.sent + 0.005 <= later.sent for earlier, later in pairwise(samples))


def test_the_closed_loop_counts_every_answer(server: Server):
    scenario = Scenario("two", "two", "/", b"hello", "text/plain", connections=2)
    with ClosedLoop(scenario, server.port) as load:
        assert load.run(0.0) == 2
        assert any(load.run(1.0) > 2 for _ in range(10)), "a machine may stand still for a second"


def test_a_server_that_ends_is_reported_with_its_last_words(tmp_path: Path):
    command = [sys.executable, "-c", "raise SystemExit('no such app')"]
    with (
        Server(command, port=free_port(), cwd=tmp_path, env={}, core=None) as broken,
        pytest.raises(StartError, match="exit code 1: no such app"),
    ):
        broken.wait_ready("/")


def test_percentile():
    values = [float(value) for value in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.99, 1.0)] == [51.0, 100.0, 100.0]
