"""Nobody reads the access log: requests are answered all the same, and what was lost is told once somebody reads."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.support import servers

APPS = Path(__file__).parent.parent / "http" / "apps"

#: As long as a request target may be, so that few lines fill what is kept.
LONG = "x" * 16_000
TOLD = "lines of the access log were thrown away: nobody read standard output"


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_requests_are_answered_while_nobody_reads(kind: str, workers: str) -> None:
    ours, theirs = os.pipe() if kind == "pipe" else [end.detach() for end in socket.socketpair()]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        number = listener.fileno()
        command = [sys.executable, "-m", "data_bridge", "run", "plain:app", "--app-dir", str(APPS)]
        process = subprocess.Popen(
            [*command, "--fd", str(number), "--workers", workers, "--metrics-path", "/metrics"],
            pass_fds=[number],
            stdout=theirs,
            stderr=subprocess.PIPE,
            text=True,
        )
    os.close(theirs)
    said, news = [], threading.Condition()

    def listen() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            with news:
                said.append(line)
                news.notify_all()

    listening = threading.Thread(target=listen)
    listening.start()
    try:
        with httpx.Client(base_url=url, timeout=servers.PATIENCE) as client:
            while not dropped(client):
                for _ in range(20):
                    assert client.get(f"/pid?{LONG}").status_code == 200
            with os.fdopen(ours, "rb") as log:
                reading = threading.Thread(target=log.read)
                reading.start()
                with news:
                    assert news.wait_for(lambda: any(TOLD in line for line in said), servers.PATIENCE), said
                assert client.get("/pid").status_code == 200
                process.send_signal(signal.SIGTERM)
                assert process.wait(servers.PATIENCE) == 0
                reading.join(servers.PATIENCE)
    finally:
        process.kill()
        process.wait()
        listening.join()
        assert process.stderr is not None
        process.stderr.close()


def dropped(client: httpx.Client) -> float:
    """How many lines the server counts as lost."""
    for family in text_string_to_metric_families(client.get("/metrics").text):
        if family.name == "data_bridge_access_log_dropped":
            return float(sum(sample.value for sample in family.samples))
    raise AssertionError("no such metric")
