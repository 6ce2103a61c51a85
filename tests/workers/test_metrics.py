"""The figures of several workers are one: summed, kept when a worker goes, and answered by the master."""

from __future__ import annotations

import os
import re
import signal
import threading
from pathlib import Path

import httpx
from tests.support import servers
from tests.support.figures import await_figures, monitor, read

APPS = Path(__file__).parent / "apps"
OPTIONS = ("--workers", "2", "--metrics-port", "0", "--no-access-log")


def ready(server: servers.Server) -> list[int]:
    return [int(pid) for pid in re.findall(r"Worker (\d+) is ready", server.output)]


def test_sums_outlive_workers_and_probes_see_no_restart() -> None:
    with servers.data_bridge("app:app", *OPTIONS, app_dir=APPS) as server:
        key = ("GET", "app", "200")

        def ask(times: int) -> None:
            for _ in range(times):
                assert httpx.get(server.url).status_code == 200

        ask(100)
        figures = await_figures(server, lambda figures: figures.answered().get(key) == 100)
        assert figures.get("processes", state="ready") == 2
        os.kill(ready(server)[0], signal.SIGKILL)
        server.wait_until(lambda: len(ready(server)) == 3)
        ask(50)
        figures = await_figures(server, lambda figures: figures.answered().get(key) == 150)
        assert figures.get("worker_restarts_total", reason="ended") == 1

        probes: list[int] = []
        over = threading.Event()

        def probe() -> None:
            with httpx.Client() as client:
                while not over.is_set():
                    probes.extend(client.get(f"{monitor(server)}/{path}").status_code for path in ("livez", "readyz"))

        probing = threading.Thread(target=probe)
        probing.start()
        server.process.send_signal(signal.SIGHUP)
        server.wait_until(lambda: len(ready(server)) == 5)
        await_figures(server, lambda figures: figures.get("worker_restarts_total", reason="asked") == 2)
        over.set()
        probing.join(servers.PATIENCE)
        assert set(probes) == {200}
        ask(50)
        await_figures(server, lambda figures: figures.answered().get(key) == 200)
        await_figures(server, lambda figures: figures.get("processes", state="leaving") == 0)
        assert read(server).get("processes", state="ready") == 2
