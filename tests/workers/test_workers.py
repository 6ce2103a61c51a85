"""Several workers behind one socket: shared, replaced, scaled, and never a request lost."""

from __future__ import annotations

import http.client
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.support import servers

import data_bridge
from data_bridge.settings import Settings
from data_bridge.workers.duty import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

APPS = Path(__file__).parent / "apps"

#: Requests within which chance has brought one to every worker.
MANY = 200


def ready(server: servers.Server) -> list[int]:
    """The process ids of all workers that were ever ready, in order."""
    return [int(pid) for pid in re.findall(r"Worker (\d+) is ready", server.output)]


def await_ready(server: servers.Server, count: int) -> list[int]:
    server.wait_until(lambda: len(ready(server)) >= count)
    return ready(server)


def await_end(pid: int) -> None:
    """Wait until a process of somebody else's has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([descriptor], [], [], servers.PATIENCE)[0], f"process {pid} lives on"
    finally:
        os.close(descriptor)


def ask(server: servers.Server) -> int:
    return int(httpx.get(server.url).text)


def test_workers_share_the_port_and_the_master_does_not_import_the_app() -> None:
    with servers.data_bridge("app:app", "--workers", "2", app_dir=APPS) as server:
        workers = set(ready(server))
        assert len(workers) == 2
        assert {ask(server) for _ in range(MANY)} <= workers
        importers = {int(pid) for pid in re.findall(r"imported by (\d+)", server.output)}
        assert importers == workers
        assert server.process.pid not in importers


def test_a_server_is_announced_after_all_of_its_workers() -> None:
    """Also where the master hears of all of them at once, because it was busy."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number, url = listening.fileno(), f"http://127.0.0.1:{listening.getsockname()[1]}"
        command = [sys.executable, "-m", "data_bridge", "run", "app:app", "--fd", str(number), "--workers", "2"]
        master = subprocess.Popen(
            command, cwd=APPS, pass_fds=(number,), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            assert master.stdout is not None
            said = ""
            while "Listening" not in said:
                line = master.stdout.readline()
                assert line, said
                said += line
                if said.count("imported by") == 2 and "ready" not in said:
                    os.kill(master.pid, signal.SIGSTOP)
                    answered, end = set[str](), time.monotonic() + servers.PATIENCE
                    while len(answered) < 2:
                        answered.add(httpx.get(url).text)
                        assert time.monotonic() < end, said
                    os.kill(master.pid, signal.SIGCONT)
            assert said.count("is ready") == 2
        finally:
            os.kill(master.pid, signal.SIGCONT)
            master.terminate()
            master.communicate(timeout=servers.PATIENCE)


def test_an_inherited_socket_keeps_who_connected_before_the_server_was_there() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()) as early,
    ):
        early.sendall(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        number = listening.fileno()
        with servers.data_bridge(
            "app:app", "--fd", str(number), "--workers", "2", app_dir=APPS, pass_fds=(number,)
        ) as server:
            assert server.port == listening.getsockname()[1]
            answer = early.makefile("rb").read()
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert int(answer.split()[-1]) in ready(server)


def test_a_stop_lets_every_worker_finish_and_shut_down() -> None:
    with servers.data_bridge("app:app", "--workers", "2", app_dir=APPS) as server:
        answers: list[int] = []
        asking = threading.Thread(target=lambda: answers.append(httpx.get(server.url + "/slow").status_code))
        asking.start()
        server.wait_for("slow begins")
        assert server.stop() == 0
        asking.join(servers.PATIENCE)
        assert answers == [200]
        assert server.output.count("shut down by") == 2


def test_a_killed_worker_is_replaced() -> None:
    with servers.data_bridge("app:app", "--workers", "2", app_dir=APPS) as server:
        victim = ready(server)[0]
        os.kill(victim, signal.SIGKILL)
        workers = await_ready(server, 3)
        assert f"Worker {victim} was killed by SIGKILL" in server.output
        assert {ask(server) for _ in range(MANY)} <= set(workers[1:])


def test_a_worker_without_a_sign_of_life_is_replaced() -> None:
    with servers.data_bridge("app:app", "--workers", "2", "--worker-timeout", "2", app_dir=APPS) as server:
        victim = ready(server)[0]
        os.kill(victim, signal.SIGSTOP)
        server.wait_for(f"Worker {victim} gives no sign of life")
        await_end(victim)
        await_ready(server, 3)


def test_workers_survive_that_all_stood_still() -> None:
    """As when a container is paused, for longer than a worker may be silent."""
    with servers.data_bridge("app:app", "--workers", "2", "--worker-timeout", "3", app_dir=APPS) as server:
        everybody = [*ready(server), server.process.pid]
        for pid in everybody:
            os.kill(pid, signal.SIGSTOP)
        threading.Event().wait(4)  # the time itself is what is tested
        for pid in reversed(everybody):  # the master first
            os.kill(pid, signal.SIGCONT)
        # Answered by the master, which has looked after its workers by the time that it has replaced them all.
        server.process.send_signal(signal.SIGHUP)
        await_ready(server, 4)
        assert "no sign of life" not in server.output


def keep_asking(server: servers.Server, stop: threading.Event, count: Callable[[], None], *, kept: bool) -> None:
    """Ask until told to stop, on one connection while it lasts, or on a new one each time."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=servers.PATIENCE)
    while not stop.is_set():
        connection.request("GET", "/")
        with connection.getresponse() as response:
            assert response.status == 200
            assert response.read().isdigit()
        if not kept:
            connection.close()
        count()
    connection.close()


def test_a_restart_replaces_every_worker_and_fails_no_request() -> None:
    with servers.data_bridge("app:app", "--workers", "2", "--no-access-log", app_dir=APPS) as server:
        stop, answers, failures = threading.Event(), [0], []

        def client(kept: bool) -> None:
            try:
                keep_asking(server, stop, lambda: answers.__setitem__(0, answers[0] + 1), kept=kept)
            except Exception as failure:  # noqa: BLE001 - whatever it is, the request is lost
                failures.append(repr(failure))

        clients = [threading.Thread(target=client, args=(kept,)) for kept in (True, True, False)]
        for each in clients:
            each.start()
        for restart in range(1, 4):
            server.process.send_signal(signal.SIGHUP)
            await_ready(server, 2 + 2 * restart)
        workers = ready(server)
        for old in workers[:-2]:
            await_end(old)
        stop.set()
        for each in clients:
            each.join(servers.PATIENCE)
        assert failures == []
        assert answers[0] > 0
        assert len(set(workers)) == 8
        assert ask(server) in workers[-2:]


def test_the_command_reload_restarts_the_server_of_a_pidfile(tmp_path: Path) -> None:
    file = tmp_path / "server.pid"
    with servers.data_bridge("app:app", "--workers", "2", "--pidfile", str(file), app_dir=APPS) as server:
        assert int(file.read_text()) == server.process.pid
        second = servers.command("run", "app:app", "--port", "0", "--pidfile", str(file), folder=APPS)
        assert second.returncode == 1
        assert f"names process {server.process.pid}, which is running" in second.stderr
        assert servers.command("reload", "--pidfile", str(file), folder=tmp_path).returncode == 0
        await_ready(server, 4)
        assert server.stop() == 0
    assert not file.exists()
    missing = servers.command("reload", "--pidfile", str(file), folder=tmp_path)
    assert missing.returncode == 1
    assert "names no process" in missing.stderr


def test_a_restart_with_a_broken_app_leaves_the_old_workers(tmp_path: Path) -> None:
    source = tmp_path / "app.py"
    source.write_text((APPS / "app.py").read_text())
    with servers.data_bridge("app:app", "--workers", "2", app_dir=tmp_path) as server:
        before = set(ready(server))
        source.write_text("no python at all")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("The restart is abandoned")
        assert "SyntaxError" in server.output
        assert {ask(server) for _ in range(20)} <= before
        source.write_text((APPS / "app.py").read_text())
        server.process.send_signal(signal.SIGHUP)
        await_ready(server, 4)
        for old in before:
            await_end(old)
        assert ask(server) not in before


def test_scaling_up_and_down() -> None:
    with servers.data_bridge("app:app", "--workers", "2", app_dir=APPS) as server:
        server.process.send_signal(signal.SIGTTIN)
        third = await_ready(server, 3)[2]
        server.process.send_signal(signal.SIGTTOU)
        await_end(third)
        assert ask(server) in ready(server)[:2]
        server.process.send_signal(signal.SIGTTOU)
        server.wait_for("1 workers are wanted")
        server.process.send_signal(signal.SIGTTOU)
        server.wait_for("The last worker stays")
        server.wait_until(lambda: server.output.count("shut down by") == 2)
        assert ask(server) in ready(server)[:2]


@pytest.mark.parametrize(
    ("flags", "reason"),
    [(("--worker-lifetime", "0.1"), "its lifetime is over"), (("--max-rss", "1"), "bytes of memory")],
)
def test_a_worker_that_is_spent_is_replaced(flags: tuple[str, ...], reason: str) -> None:
    with servers.data_bridge("app:app", "--workers", "2", *flags, app_dir=APPS) as server:
        first = ready(server)[0]
        await_end(first)
        server.wait_until(lambda: bool(re.search(rf"Worker {first} is replaced: .*{reason}", server.output)))
        assert ask(server) != first


def test_jitter_spreads_the_ends_of_workers() -> None:
    most = [Limits(Settings(max_requests=10, max_requests_jitter=1000)) for _ in range(20)]
    assert all(limits.reached(9) is None and limits.reached(1011) for limits in most)
    assert 0 < sum(limits.reached(500) is not None for limits in most) < 20


def test_a_worker_that_answered_enough_is_replaced() -> None:
    with servers.data_bridge("app:app", "--workers", "2", "--max-requests", "10", app_dir=APPS) as server:
        for _ in range(50):
            assert ask(server)
        await_ready(server, 3)
        assert "is replaced: it has answered" in server.output


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"max_requests": 10}, "it has answered 10 requests"),
        ({"worker_lifetime": 1e-9}, "its lifetime is over"),
        ({"max_rss": 1}, "bytes of memory"),
        ({}, None),
    ],
)
def test_limits_of_a_worker(limits: dict[str, float], reason: str | None) -> None:
    said = Limits(Settings(**limits)).reached(10)
    assert said == reason if reason is None else reason in str(said)


def test_workers_end_when_their_master_is_killed() -> None:
    with servers.data_bridge("app:app", "--workers", "2", app_dir=APPS) as server:
        workers = ready(server)
        server.process.kill()
        for worker in workers:
            await_end(worker)


@pytest.mark.parametrize(
    ("source", "code", "said"),
    [
        ("raise RuntimeError('no way')", 1, "no way"),
        ("app = 5", 2, "not callable"),
        (
            "async def app(scope, receive, send):\n    await send({'type': 'lifespan.startup.failed'})",
            3,
            "start-up failed",
        ),
    ],
)
def test_an_app_that_cannot_start_ends_the_master(tmp_path: Path, source: str, code: int, said: str) -> None:
    (tmp_path / "broken.py").write_text(source)
    ended = servers.command("run", "broken:app", "--port", "0", "--workers", "2", folder=tmp_path)
    assert ended.returncode == code
    assert said in ended.stderr


def test_a_master_that_can_start_no_process_ends() -> None:
    source = (
        "import sys; sys.executable = '/no/such/python'; from data_bridge.cli import main; "
        "main(['run', 'app:app', '--port', '0', '--workers', '2'])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", source], cwd=APPS, capture_output=True, text=True, timeout=servers.PATIENCE, check=False
    )
    assert ended.returncode == 1
    assert "Cannot start a worker: [Errno 2] No such file or directory: '/no/such/python'" in ended.stderr


def test_workers_need_the_name_of_the_app() -> None:
    with pytest.raises(ValueError, match="serve\\('module:app', workers=4\\)"):
        data_bridge.serve(lambda: None, workers=2)
