"""`--reload`: the worker follows the files, and clients wait meanwhile instead of being refused."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import httpx
from tests.support import servers

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"TEXT"})
"""


def write(path: Path, text: str) -> None:
    path.write_text(SOURCE.replace("TEXT", text))


def await_answer(server: servers.Server, text: str) -> None:
    server.wait_until(lambda: httpx.get(server.url, timeout=servers.PATIENCE).text == text)


def test_a_saved_file_is_served(tmp_path: Path) -> None:
    write(tmp_path / "app.py", "first")
    with servers.data_bridge("app:app", "--reload", app_dir=tmp_path) as server:
        await_answer(server, "first")
        for text in ("second", "third"):
            write(tmp_path / "app.py", text)
            await_answer(server, text)
        assert "Changed: app.py. Starting again." in server.output
        assert server.stop(signal.SIGINT) == 0


def test_dev_reloads(tmp_path: Path) -> None:
    write(tmp_path / "app.py", "first")
    with servers.running(
        [sys.executable, "-m", "data_bridge", "dev", "app:app", "--port", "0", "--app-dir", str(tmp_path)], tmp_path
    ) as server:
        await_answer(server, "first")
        write(tmp_path / "app.py", "second")
        await_answer(server, "second")


def test_a_syntax_error_is_shown_and_the_next_save_mends_it(tmp_path: Path) -> None:
    write(tmp_path / "app.py", "first")
    with servers.data_bridge("app:app", "--reload", app_dir=tmp_path) as server:
        await_answer(server, "first")
        (tmp_path / "app.py").write_text("def broken(:")
        server.wait_for("waiting for a change")
        assert "SyntaxError" in server.output
        write(tmp_path / "app.py", "mended")
        await_answer(server, "mended")


def test_only_files_that_count_matter(tmp_path: Path) -> None:
    write(tmp_path / "app.py", "first")
    templates = tmp_path / "templates"
    templates.mkdir()
    options = ("--reload", "--reload-includes", "*.py", "--reload-includes", "*.html", "--reload-excludes", "*_test.py")
    with servers.data_bridge("app:app", *options, app_dir=tmp_path) as server:
        await_answer(server, "first")
        (tmp_path / "some_test.py").write_text("")
        (tmp_path / "notes.txt").write_text("")
        (templates / "page.html").write_text("")
        server.wait_for("Starting again")
        assert "Changed: templates/page.html. Starting again." in server.output


def test_a_folder_that_cannot_be_watched_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "app.py", "first")
    missing = tmp_path / "missing"
    command = ["run", "app:app", "--reload", "--reload-dirs", str(missing), "--port", "0"]
    ended = servers.command(*command, folder=tmp_path)
    assert ended.returncode == 1
    assert f"cannot watch {missing}" in ended.stderr
    assert "Traceback" not in ended.stderr
