"""What the lines of the access log look like, as a program that reads standard output finds them."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import httpx
import pytest
from tests.support import servers

APPS = Path(__file__).parent.parent / "http" / "apps"


def lines(server: servers.Server) -> list[str]:
    """Give what the server wrote to the log about requests."""
    server.stop()
    return [line for line in server.output.splitlines() if "/pid" in line]


def test_a_template_of_gunicorns_atoms() -> None:
    template = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" %(m)s %(U)s ?%(q)s %(H)s %({X-Id}i)s 100%%'
    headers = {"user-agent": "tester", "referer": "http://other/", "x-id": "42"}
    with servers.data_bridge("plain:app", "--access-log-format", template, app_dir=APPS) as server:
        body = httpx.get(server.url + "/pid?x=1", headers=headers, auth=("ada", "secret")).content
        (line,) = lines(server)
    moment = r"\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\]"
    expected = (
        rf'127\.0\.0\.1 - ada {moment} "GET /pid\?x=1 HTTP/1\.1" 200 {len(body)} "http://other/" "tester" '
        r"GET /pid \?x=1 HTTP/1\.1 42 100%"
    )
    assert re.fullmatch(expected, line), line


def test_durations_in_four_units() -> None:
    template = "%(T)s %(L)s %(M)s %(D)s %(p)s /pid"
    with servers.data_bridge("plain:app", "--access-log-format", template, app_dir=APPS) as server:
        httpx.get(server.url + "/pid")
        (line,) = lines(server)
    seconds, decimal, millis, micros, process, _ = line.split()
    assert int(seconds) == int(float(decimal)) == int(millis) // 1000 == int(micros) // 1_000_000
    assert float(decimal) > 0
    assert process == f"<{server.process.pid}>"


def test_a_json_object_a_line() -> None:
    with servers.data_bridge("plain:app", "--access-log-format", "json", app_dir=APPS) as server:
        body = httpx.get(server.url + "/pid?x=1", headers={"user-agent": 'a "quoted" one'}).content
        (line,) = lines(server)
    entry = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry.pop("time"))
    assert entry.pop("duration_ms") > 0
    assert entry == {
        "client": "127.0.0.1",
        "method": "GET",
        "path": "/pid",
        "query": "x=1",
        "protocol": "HTTP/1.1",
        "status": 200,
        "bytes": len(body),
        "user_agent": 'a "quoted" one',
    }


def test_a_client_can_neither_end_a_line_nor_a_quote() -> None:
    template = '"%(a)s" %(U)s'
    with servers.data_bridge("plain:app", "--access-log-format", template, app_dir=APPS) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            head = b'GET /pid HTTP/1.1\r\nhost: x\r\nconnection: close\r\nuser-agent: a" 200 "\\\xff\t\r\n\r\n'
            client.sendall(head)
            while client.recv(4096):
                pass
        (line,) = lines(server)
    assert line == r'"a\" 200 \"\\\xff" /pid'


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("%(x)s", "there is no atom %(x)s; there are %(h)s, "),
        ("%({server}o)s", "there is no atom %({server}o)s"),
        ("100%", "at offset 3: an atom is written %(name)s"),
    ],
)
def test_a_wrong_template_is_refused_before_anything_is_served(template: str, said: str) -> None:
    ended = servers.command("run", "plain:app", "--port", "0", "--access-log-format", template, folder=APPS)
    assert ended.returncode == 2
    assert f"access_log_format: {said}" in ended.stderr
    assert "Traceback" not in ended.stderr
