"""Start-up before the first accept, shutdown after the last answer: under our server and under uvicorn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.support import servers

from data_bridge import App

APPS = Path(__file__).parent / "apps"
CARRIERS = [servers.data_bridge, servers.uvicorn]


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("name", ["app", "events"])
def test_the_app_lives_from_before_the_first_request_to_after_the_last(carrier, name):
    with carrier(f"living:{name}", app_dir=APPS) as server:
        assert "begun" in server.output
        assert httpx.get(server.url).status_code == 200
        assert "ended" not in server.output
        server.stop()
    assert server.output.count("begun") == server.output.count("ended") == 1


@pytest.mark.parametrize("carrier", CARRIERS)
def test_what_the_lifespan_leaves_is_in_the_state_of_each_request(carrier):
    with carrier("living:app", app_dir=APPS) as server:
        assert httpx.get(server.url).json() == {"pool": "open", "answer": 42, "other": False}
        assert httpx.get(server.url).json() == {"pool": "open", "answer": 42, "other": False}


def test_a_failed_start_up_serves_nothing():
    command = [sys.executable, "-m", "data_bridge", "run", "living:failing", "--port", "0"]
    ended = subprocess.run(command, cwd=APPS, capture_output=True, text=True, timeout=servers.PATIENCE, check=False)
    assert ended.returncode != 0
    assert "no database" in ended.stdout + ended.stderr
    assert "Listening" not in ended.stdout + ended.stderr


def test_an_app_may_serve_itself():
    with servers.running([sys.executable, "running.py"], APPS) as server:
        assert httpx.get(f"{server.url}/hello").json() == "hello"
        assert server.stop() == 0
    assert server.output.endswith("over\n")


def test_events_that_cannot_happen_are_refused():
    with pytest.raises(ValueError, match="no event 'start'"):
        App().router.add_event_handler("start", print)
