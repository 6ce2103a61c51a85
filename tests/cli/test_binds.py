"""Where a server listens: several addresses, sockets that it inherits, what systemd passes."""

from __future__ import annotations

import fcntl
import os
import re
import socket
import sys
from pathlib import Path

import httpx
import pytest
from tests.support import servers

from data_bridge import settings

APPS = Path(__file__).parents[1] / "http" / "apps"
APP = ("multiplexed:app",)


def addresses(server: servers.Server) -> list[str]:
    return re.findall(r"Listening on (\S+)", server.output)


def answers(url: str) -> bool:
    return httpx.get(f"{url}/unread", timeout=servers.PATIENCE).text == "not read"


def test_several_addresses_and_an_inherited_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.fileno()
        flags = ("--bind", "127.0.0.1:0", "--bind", "localhost:0", "--bind", f"fd://{number}")
        with servers.data_bridge(*APP, *flags, app_dir=APPS, pass_fds=(number,)) as server:
            server.wait_until(lambda: len(addresses(server)) >= 3)
            found = addresses(server)
            assert f"http://127.0.0.1:{listening.getsockname()[1]}" in found
            assert len(set(found)) == len(found)
            assert all(answers(url) for url in found)


def test_what_systemd_passes() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as first,
        socket.create_server(("127.0.0.1", 0)) as second,
    ):
        # Not those that they are to have in the end.
        numbers = [fcntl.fcntl(each, fcntl.F_DUPFD, 50) for each in (first, second)]
        server = f'"{sys.executable}" -m data_bridge run multiplexed:app --app-dir "{APPS}"'
        script = f"exec 3<&{numbers[0]} 4<&{numbers[1]}; LISTEN_FDS=2 LISTEN_PID=$$ exec {server}"
        with servers.running(["bash", "-c", script], APPS, pass_fds=numbers) as running:
            running.wait_until(lambda: len(addresses(running)) >= 2)
            assert addresses(running) == [f"http://127.0.0.1:{each.getsockname()[1]}" for each in (first, second)]
            assert all(answers(url) for url in addresses(running))
        for number in numbers:
            os.close(number)


def test_one_that_is_taken_lets_none_be_served() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = servers.command(
            "run", *APP, "--bind", "127.0.0.1:0", "--bind", where, "--app-dir", str(APPS), folder=APPS
        )
        assert ended.returncode == 1
        assert f"{where} is in use by another program" in ended.stderr


@pytest.mark.parametrize("where", ["8000", "localhost", "localhost:x", "localhost:65536", "fd://x", "fd://", "unix:"])
def test_an_address_that_is_none_is_refused(where: str) -> None:
    with pytest.raises(ValueError, match="fd://number, not"):
        settings.Settings(bind=(where,))
