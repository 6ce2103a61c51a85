"""The command line: what it prints, and how it ends when something is wrong."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.support import servers

import data_bridge
from data_bridge import settings

APPS = Path(__file__).parent.parent / "http" / "apps"


def test_version() -> None:
    assert servers.command("--version", folder=APPS).stdout.strip() == f"data-bridge {data_bridge.__version__}"


def test_help_shows_defaults_and_environment_names() -> None:
    shown = " ".join(servers.command("run", "--help", folder=APPS).stdout.split())
    assert "(default: 8000) [DATA_BRIDGE_PORT]" in shown
    assert "--timeout-keep-alive" in shown


def test_the_listening_line_says_where_and_which_interface() -> None:
    with servers.data_bridge("plain:app", app_dir=APPS) as server:
        assert f"Listening on http://127.0.0.1:{server.port} (ASGI 3.0" in server.output


def test_the_current_folder_is_importable() -> None:
    command = [sys.executable, "-m", "data_bridge", "run", "plain:app", "--port", "0"]
    with servers.running(command, APPS) as server:
        assert httpx.get(server.url + "/pid").text == str(server.process.pid)


def test_no_colours_outside_a_terminal() -> None:
    with servers.data_bridge("plain:app", app_dir=APPS) as server:
        assert "\x1b[" not in server.output


@pytest.mark.parametrize(
    ("flags", "variables", "coloured"),
    [((), {}, True), ((), {"NO_COLOR": "1"}, False), (("--no-use-colors",), {}, False)],
)
def test_colours_in_a_terminal(flags: tuple[str, ...], variables: dict[str, str], coloured: bool) -> None:
    ours, theirs = os.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | variables
    command = [sys.executable, "-m", "data_bridge", "run", "plain:app", "--port", "0", *flags]
    process = subprocess.Popen(command, cwd=APPS, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    shown = b""
    while b"CTRL+C" not in shown:
        shown += os.read(ours, 4096)
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(OSError):  # the other end is closed
        while part := os.read(ours, 4096):
            shown += part
    os.close(ours)
    assert process.wait(servers.PATIENCE) == 0
    assert (b"\x1b[32mINFO\x1b[0m:" in shown) is coloured


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["plain"], 2, "not of the form module:app"),
        (["no_such_module:app"], 1, "no module 'no_such_module'"),
        (["plain:ap"], 1, "did you mean 'app'?"),
        (["plain.py:app"], 1, "write 'plain'"),
        (["plain:seen"], 2, "not callable"),
        (["json:dumps"], 2, "no ASGI 3.0 application"),
        (["wsgiref.simple_server:demo_app", "--interface", "asgi"], 2, "if it is a WSGI application"),
        (["os:getpid"], 2, "use --factory"),
        (["plain:app", "--max-headers", "0"], 2, "max_headers must be more than 0"),
        (["plain:app", "--header-timeout", "nan"], 2, "header_timeout must be finite"),
        (["plain:app", "--port", "70000"], 2, "port must be 0 to 65535"),
        (["plain:app", "--port", "x"], 2, "--port: must be a whole number, not 'x'"),
        (["plain:app", "--workers", "2", "--reload"], 2, "reload serves with one worker"),
        (["plain:app", "--fd", "99"], 1, "fd 99 is no open socket"),
        (["plain:app", "--ssl-certfile", "x.pem"], 2, "x.pem cannot be read"),
        (["plain:fails_to_start"], 3, "no database"),
        (["plain:app", "--log-level", "loud"], 2, "log_level must be one of"),
        (["plain:app", "--log-config", "missing.ini"], 2, "cannot read missing.ini"),
        (["plain:app", "--app-dir", "missing"], 1, "missing; --app-dir names the one that 'plain' is in"),
        (["plain:app", "--working-dir", "missing"], 1, "--working-dir missing: No such file or directory"),
        (["plain:app", "--env-file", "missing"], 1, "--env-file missing: there is no such file"),
        (["plain:app", "--pidfile", "missing/pid"], 1, "cannot write --pidfile missing/pid: No such file"),
        (["plain:app", "--host", "192.0.2.1"], 1, "this machine has no such address; --host 0.0.0.0 means all"),
    ],
)
def test_mistakes_are_explained(arguments: list[str], code: int, said: str) -> None:
    ended = servers.command("run", *arguments, folder=APPS)
    assert ended.returncode == code, ended.stderr
    assert said in ended.stderr


def test_a_broken_module_shows_its_own_traceback_and_no_line_of_ours(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import json\njson.no_such_name\n")
    ended = servers.command("run", "broken:app", folder=tmp_path)
    assert ended.returncode == 1
    assert re.findall(r'File "(.*?)"', ended.stderr) == [str(tmp_path / "broken.py")]
    assert "AttributeError" in ended.stderr
    assert "json.no_such_name" in ended.stderr


def test_a_missing_dependency_is_not_taken_for_the_module(tmp_path: Path) -> None:
    (tmp_path / "needs.py").write_text("import not_installed_anywhere\n")
    ended = servers.command("run", "needs:app", folder=tmp_path)
    assert ended.returncode == 1
    assert "No module named 'not_installed_anywhere'" in ended.stderr
    assert "could not be imported" in ended.stderr


def test_a_port_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = servers.command("run", "plain:app", "--port", port, folder=APPS)
    assert ended.returncode == 1
    assert f"127.0.0.1:{port} is in use" in ended.stderr


def test_a_factory(tmp_path: Path) -> None:
    (tmp_path / "made.py").write_text(
        "def make():\n"
        "    async def app(scope, receive, send):\n"
        "        await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
        "        await send({'type': 'http.response.body', 'body': b'made'})\n"
        "    return app\n"
    )
    for written in (("made:make", "--factory"), ("made:make()",)):
        with servers.data_bridge(*written, app_dir=tmp_path) as server:
            assert httpx.get(server.url).text == "made"


def test_an_env_file_and_a_working_dir(tmp_path: Path) -> None:
    (tmp_path / "told.py").write_text(
        "import os\n"
        "async def app(scope, receive, send):\n"
        "    body = f\"{os.environ['TOLD']} {os.environ['HOME']} {os.getcwd()}\".encode()\n"
        "    await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
        "    await send({'type': 'http.response.body', 'body': body})\n"
    )
    (tmp_path / ".env").write_text(
        "# settings and what the app wants\nexport TOLD='a b'\nHOME=/nowhere\nDATA_BRIDGE_WORKERS=2\n"
    )
    command = [sys.executable, "-m", "data_bridge", "run", "told:app", "--port", "0"]
    options = ["--working-dir", str(tmp_path), "--env-file", ".env"]
    with servers.running([*command, *options], APPS) as server:
        assert httpx.get(server.url).text == f"a b {os.environ['HOME']} {tmp_path}"
        assert "(2 workers;" in server.output


def test_a_misspelled_variable_is_told_of() -> None:
    with servers.data_bridge("plain:app", app_dir=APPS, env={"DATA_BRIDGE_WOKERS": "2"}) as server:
        assert "DATA_BRIDGE_WOKERS is no setting; did you mean DATA_BRIDGE_WORKERS?" in server.output


def test_the_environment_sets_what_flags_do_not() -> None:
    with servers.data_bridge("plain:app", app_dir=APPS, env={"DATA_BRIDGE_SERVER_HEADER": "false"}) as server:
        assert "server" not in httpx.get(server.url + "/pid").headers


def test_the_access_log_can_be_switched_off() -> None:
    with servers.data_bridge("plain:app", "--no-access-log", app_dir=APPS) as server:
        httpx.get(server.url + "/pid")
        server.stop()
    assert "GET /pid" not in server.output


def test_the_access_log_has_a_line_for_each_request() -> None:
    with servers.data_bridge("plain:app", app_dir=APPS) as server:
        httpx.get(server.url + "/pid?x=1")
        server.stop()
    assert '"GET /pid?x=1 HTTP/1.1" 200' in server.output


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": -1},
        {"port": "8000"},
        {"keep_alive_timeout": -1.0},
        {"interface": "rsgi"},
        {"workers": 0},
        {"reload_dirs": "src"},
    ],
)
def test_settings_refuse_what_they_cannot_mean(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        settings.Settings(**wrong)  # type: ignore[arg-type]


def test_an_unreadable_environment_variable_is_named() -> None:
    with pytest.raises(ValueError, match="DATA_BRIDGE_PORT='many'"):
        settings.from_environment({"DATA_BRIDGE_PORT": "many"})


def test_the_table_of_the_docs_is_the_settings() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "settings.md").read_text()
    assert settings.table() in page


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"own": {"format": "[%(name)s] %(message)s"}},
    "handlers": {"own": {"class": "logging.StreamHandler", "formatter": "own"}},
    "loggers": {"data_bridge": {"handlers": ["own"], "level": "INFO"}},
}

INI = """
[loggers]
keys = root, server
[handlers]
keys = own
[formatters]
keys = own
[logger_root]
handlers =
[logger_server]
qualname = data_bridge
level = INFO
handlers = own
[handler_own]
class = StreamHandler
formatter = own
[formatter_own]
format = [%(name)s] %(message)s
"""


@pytest.mark.parametrize(("name", "text"), [("log.json", json.dumps(LOGGING)), ("log.ini", INI)])
def test_a_logging_configuration_of_the_user(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with servers.data_bridge("plain:app", "--log-config", str(tmp_path / name), app_dir=APPS) as server:
        httpx.get(server.url + "/pid")
        server.stop()
    assert "[data_bridge] Listening on" in server.output
    assert '"GET /pid HTTP/1.1" 200' in server.output
    assert "[data_bridge.access]" in server.output


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("log.json", "{", "Expecting property name"),
        ("log.json", '{"version": 1, "handlers": {"x": {"class": "no.Such"}}}', "No module named 'no'"),
        ("log.ini", "hello", "is invalid"),
    ],
)
def test_a_broken_logging_configuration_is_named(name: str, text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    ended = servers.command("run", "plain:app", "--log-config", str(tmp_path / name), folder=APPS)
    assert ended.returncode == 2
    assert f"log_config: {tmp_path / name}: " in ended.stderr
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
