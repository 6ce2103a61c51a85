"""Served on a Unix socket: every kind of app, what scopes say, the socket's file from the start to the end."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import socket
import stat
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.support import servers
from tests.support.certificates import Authority
from websockets.sync.client import unix_connect

import data_bridge
from data_bridge import unix_sockets
from data_bridge.unix_sockets import UnixListener

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parents[1] / "http" / "apps"
WORKERS = Path(__file__).parents[1] / "workers" / "apps"
#: Who speaks to a Unix socket is believed as this machine's own addresses are.
SAID = {"x-forwarded-for": "6.6.6.6, 203.0.113.7", "x-forwarded-proto": "https"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "server.sock"


@contextlib.contextmanager
def serving(app: str, path: Path, *options: str, app_dir: Path = APPS) -> Iterator[servers.Server]:
    with servers.data_bridge(app, "--uds", str(path), *options, app_dir=app_dir) as server:
        assert server.path == str(path)
        yield server


def client(path: Path, *, http2: bool = False, verify: bool = True) -> httpx.Client:
    transport = httpx.HTTPTransport(uds=str(path), http1=not http2, http2=http2, verify=verify)
    return httpx.Client(transport=transport, base_url="http://localhost", timeout=servers.PATIENCE)


def seen(path: Path, headers: dict[str, str] | None = None, *, http2: bool = False) -> dict[str, Any]:
    with client(path, http2=http2) as session:
        found: dict[str, Any] = session.get("/seen", headers=headers).json()
    return found


def test_scopes_say_what_they_say_under_uvicorn(path: Path) -> None:
    expected = {"scheme": "http", "client": None, "server": [str(path), None]}
    with serving("proxied:asgi", path) as server:
        assert seen(path) == expected
        assert seen(path, http2=True) == expected
        server.wait_for('- - "GET /seen')
        with unix_connect(str(path)) as socket_:
            assert json.loads(socket_.recv(servers.PATIENCE)) == {**expected, "scheme": "ws"}
    with servers.uvicorn("proxied:asgi", "--uds", str(path), app_dir=APPS):
        assert seen(path) == expected


@pytest.mark.parametrize("app", ["asgi", "wsgi", "own", "fastapi_app"])
def test_every_kind_of_app(app: str, path: Path) -> None:
    with serving(f"proxied:{app}", path) as server:
        found = seen(path)
        assert (found["scheme"], found["client"]) == ("http", None)
        found = seen(path, SAID)
        assert (found["scheme"], found["client"]) == ("https", ["203.0.113.7", 0])
        server.wait_for('203.0.113.7:0 - "GET /seen')
    with serving(f"proxied:{app}", path, "--forwarded-allow-ips", "127.0.0.1,0.0.0.0/0"):
        assert seen(path, SAID)["client"] is None


def test_files_are_sent(path: Path) -> None:
    with serving("proxied:own", path), client(path) as session:
        assert session.get("/file").content == (APPS / "proxied.py").read_bytes()


def test_beside_an_address_and_over_tls(path: Path, tmp_path: Path) -> None:
    certificate = Authority(tmp_path).issue("localhost")
    options = ("--bind", "127.0.0.1:0", *certificate.flags)
    with servers.data_bridge("proxied:asgi", "--bind", f"unix:{path}", *options, app_dir=APPS) as server:
        server.wait_for("https://127.0.0.1:")
        server.wait_for(f"Listening on unix:{path} ")
        transport = httpx.HTTPTransport(uds=str(path), verify=False)
        with httpx.Client(transport=transport, timeout=servers.PATIENCE) as session:
            found = session.get("https://localhost/").json()
        assert found == {"scheme": "https", "client": None, "server": [str(path), None]}


def test_the_file_is_there_with_its_mode_while_the_server_is(path: Path) -> None:
    with serving("proxied:asgi", path) as server:
        assert stat.S_IMODE(path.stat().st_mode) == 0o666
        assert server.stop() == 0
    assert not path.exists()
    with serving("proxied:asgi", path, "--uds-permissions", "600"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_a_killed_server_left_is_replaced(path: Path) -> None:
    with serving("proxied:asgi", path) as server:
        assert server.stop(signal.SIGKILL) == -signal.SIGKILL
    assert path.is_socket()
    with serving("proxied:asgi", path):
        assert seen(path)["scheme"] == "http"


def test_another_servers_socket_and_other_files_are_left_alone(path: Path, tmp_path: Path) -> None:
    run = ("run", "proxied:asgi", "--app-dir", str(APPS), "--uds")
    with serving("proxied:asgi", path):
        second = servers.command(*run, str(path), folder=APPS)
        assert (second.returncode, f"{path} is in use by another server" in second.stderr) == (1, True)
        assert seen(path)["scheme"] == "http"
    path.write_text("precious")
    refused = servers.command(*run, str(path), folder=APPS)
    assert (refused.returncode, "there is a file that is no socket" in refused.stderr) == (1, True)
    assert path.read_text() == "precious"
    for where, why in ((tmp_path / "no" / "folder", "No such file"), (tmp_path / ("x" * 200), "path too long")):
        refused = servers.command(*run, str(where), folder=APPS)
        assert (refused.returncode, f"cannot listen at {where}" in refused.stderr) == (1, True)
        assert why in refused.stderr


def test_of_servers_that_find_one_dead_file_at_once_one_has_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    clear, flock, arrived = unix_sockets._clear, fcntl.flock, threading.Event()
    others: list[Future[UnixListener]] = []

    def listen() -> UnixListener:
        return UnixListener.at(str(path), 8, mode=0o600)

    def clear_beside_another(given: str) -> None:
        clear(given)
        if not others:
            others.append(pool.submit(listen))
            assert arrived.wait(servers.PATIENCE)

    def arrive(descriptor: int, operation: int) -> None:
        if threading.current_thread() is not threading.main_thread():
            arrived.set()
        flock(descriptor, operation)

    monkeypatch.setattr(unix_sockets, "_clear", clear_beside_another)
    monkeypatch.setattr(fcntl, "flock", arrive)
    with ThreadPoolExecutor() as pool, listen():
        with pytest.raises(OSError, match="is in use by another server; stop it or choose another path"):
            others[0].result(servers.PATIENCE)
        with socket.socket(socket.AF_UNIX) as trial:
            trial.connect(str(path))
    assert not path.exists()


def test_a_folder_that_stays_locked_is_told_of(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unix_sockets, "_LOCK_PATIENCE", 0.05)
    holder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX)
        said = f"cannot listen at {path}: another program has kept {path.parent} locked"
        with pytest.raises(OSError, match=re.escape(said)):
            UnixListener.at(str(path), 8, mode=0o600)
    finally:
        os.close(holder)
    UnixListener.at(str(path), 8, mode=0o600).close()


def test_a_successors_file_is_not_removed(path: Path) -> None:
    with serving("proxied:asgi", path) as first:
        path.unlink()
        with serving("proxied:asgi", path):
            assert first.stop() == 0
            assert seen(path)["scheme"] == "http"


def test_an_inherited_one_is_served_and_stays(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        number = listening.fileno()
        with servers.data_bridge("proxied:asgi", "--fd", str(number), app_dir=APPS, pass_fds=(number,)) as server:
            assert seen(path)["server"] == [str(path), None]
            assert server.stop() == 0
    assert path.is_socket()


def test_workers_share_it_and_restart_without_a_lost_request(path: Path) -> None:
    with serving("app:app", path, "--workers", "2", "--no-access-log", app_dir=WORKERS) as server:
        stop, failures, workers = threading.Event(), [], set[int]()

        def ask() -> None:
            try:
                while not stop.is_set():
                    with client(path) as session:
                        workers.add(int(session.get("/").text))
                        workers.add(int(session.get("/").text))
            except Exception as failure:  # noqa: BLE001 - whatever it is, the request is lost
                failures.append(repr(failure))

        asking = threading.Thread(target=ask)
        asking.start()
        for restart in range(1, 3):
            server.process.send_signal(signal.SIGHUP)
            server.wait_until(lambda count=2 + 2 * restart: server.output.count("is ready") >= count)  # type: ignore[misc]
        stop.set()
        asking.join(servers.PATIENCE)
        assert failures == []
        assert workers
        assert server.stop() == 0
    assert not path.exists()


def test_a_server_inside_a_program(path: Path) -> None:
    async def main() -> list[str]:
        async with data_bridge.Server("proxied:asgi", uds=str(path)) as server:
            transport = httpx.AsyncHTTPTransport(uds=str(path))
            async with httpx.AsyncClient(transport=transport) as session:
                assert (await session.get("http://localhost/")).json()["client"] is None
        return server.urls

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(APPS))
        assert data_bridge.run(main()) == [f"unix:{path}"]
    assert not path.exists()
