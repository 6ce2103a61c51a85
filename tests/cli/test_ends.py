"""How a server ends: exit codes of clean and of forced stops, and what is said of what cannot begin."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest
from tests.support import servers
from tests.support.certificates import Authority

APPS = Path(__file__).parents[1] / "http" / "apps"
HERE = Path(__file__).parent


@pytest.mark.parametrize("flags", [(), ("--workers", "2")])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_and_a_clean_drain(flags: tuple[str, ...], number: int) -> None:
    with servers.data_bridge("plain:app", *flags, app_dir=APPS) as server:
        assert server.stop(number) == 0
    assert "Traceback" not in server.output


@pytest.mark.parametrize("flags", [(), ("--workers", "2")])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_forces_the_end(flags: tuple[str, ...], number: int) -> None:
    with (
        servers.data_bridge("apps:app", *flags, app_dir=HERE) as server,
        socket.create_connection((server.host, server.port)) as waiting,
    ):
        waiting.sendall(b"GET /waits HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_for("waits")
        server.process.send_signal(number)
        server.wait_for("Stopping")
        assert server.stop(number) == 130


def refused(folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit code, and the one line that says why."""
    ended = servers.command("run", *arguments, folder=folder)
    assert "Traceback" not in ended.stderr
    return ended.returncode, ended.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("flags", [(), ("--workers", "2")])
def test_a_port_in_use_is_one_sentence(flags: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = refused(APPS, "plain:app", "--port", str(port), *flags)
    assert code == 1
    assert said == (
        f"data-bridge: error: 127.0.0.1:{port} is in use by another program; stop it or choose another --port"
    )


def test_certificates_that_are_missing_or_wrong_are_one_sentence(tmp_path: Path) -> None:
    run = ("plain:app", "--port", "0", "--app-dir", str(APPS))
    authority = Authority(tmp_path)
    one, other = (authority.issue(name, "localhost") for name in ("one", "other"))
    code, said = refused(tmp_path, *run, "--ssl-certfile", "missing.pem")
    assert (code, said.startswith("data-bridge: error: "), "missing.pem" in said) == (2, True, True)
    (tmp_path / "no.pem").write_text("this is no certificate")
    code, said = refused(tmp_path, *run, "--ssl-certfile", "no.pem")
    assert (code, said.startswith("data-bridge: error: "), "no.pem" in said) == (2, True, True)
    code, said = refused(tmp_path, *run, "--ssl-certfile", str(one.chain), "--ssl-keyfile", str(other.key))
    assert (code, said.startswith("data-bridge: error: "), "key" in said) == (2, True, True)


@pytest.mark.parametrize("flags", [(), ("--workers", "2")])
def test_a_syntax_error_is_shown_where_it_is(flags: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text("app = None\ndef (:\n")
    ended = servers.command("run", "wrong:app", "--port", "0", *flags, folder=tmp_path)
    assert ended.returncode == 1
    assert 'wrong.py", line 2' in ended.stderr
    assert "SyntaxError" in ended.stderr
    assert "could not be imported" in ended.stderr


def test_a_start_up_that_fails_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "unready.py").write_text(
        "import contextlib\nfrom starlette.applications import Starlette\n"
        "@contextlib.asynccontextmanager\nasync def lifespan(app):\n    raise RuntimeError('no database')\n    yield\n"
        "app = Starlette(lifespan=lifespan)\n"
    )
    ended = servers.command("run", "unready:app", "--port", "0", folder=tmp_path)
    assert ended.returncode == 3
    assert ended.stderr.count("RuntimeError: no database") == 1
    assert ended.stderr.count("the app's start-up failed, nothing was served") == 1
    assert "data_bridge/" not in ended.stderr
