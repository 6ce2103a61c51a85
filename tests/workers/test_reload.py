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


def test_editors_that_replace_the_file(tmp_path: Path) -> None:
    file, beside, backup = (tmp_path / name for name in ("app.py", ".app.py.swp", "app.py~"))
    write(file, "first")
    with servers.data_bridge("app:app", "--reload", app_dir=tmp_path) as server:
        await_answer(server, "first")
        write(beside, "renamed")
        beside.replace(file)
        await_answer(server, "renamed")
        with server.standing_still():  # however slowly this goes, it is one save
            file.rename(backup)  # as vim does with `backupcopy=no`
            write(file, "written anew")
            backup.unlink()
        await_answer(server, "written anew")
        assert server.output.count("Changed: app.py. Starting again.") == 2


PARTS = """
from pathlib import Path

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": " ".join(FOUND).encode()})

HERE = Path(__file__).parent
FOUND = sorted(str(path.relative_to(HERE)) for path in HERE.rglob("*.py"))
"""


def test_files_that_come_and_go(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PARTS)
    with servers.data_bridge("app:app", "--reload", app_dir=tmp_path) as server:
        await_answer(server, "app.py")
        (tmp_path / "new.py").write_text("")
        await_answer(server, "app.py new.py")
        (tmp_path / "new.py").unlink()
        await_answer(server, "app.py")
        (tmp_path / "package").mkdir()
        (tmp_path / "package" / "inner.py").write_text("")
        await_answer(server, "app.py package/inner.py")
        (tmp_path / "package").rename(tmp_path / "renamed")
        await_answer(server, "app.py renamed/inner.py")
        (tmp_path / "renamed" / "inner.py").unlink()
        await_answer(server, "app.py")


def test_the_folders_to_watch_are_those_named(tmp_path: Path) -> None:
    names = ("app", "one", "two")
    for name in names:
        (tmp_path / name).mkdir()
        write(tmp_path / name / "app.py", name)
    options = [option for name in names[1:] for option in ("--reload-dir", str(tmp_path / name))]
    with servers.data_bridge("app:app", "--reload", *options, app_dir=tmp_path / "app") as server:
        await_answer(server, "app")
        write(tmp_path / "app" / "app.py", "not watched")
        for count, name in enumerate(names[1:], start=1):
            with server.standing_still():  # emptied and written are one change
                write(tmp_path / name / "app.py", name)
            server.wait_until(lambda count=count: server.output.count("Changed: app.py. Starting again.") == count)
            await_answer(server, "not watched")


def test_an_app_that_is_broken_from_the_start_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import missing_yet\n")
    with servers.data_bridge("app:app", "--reload", app_dir=tmp_path) as server:
        server.wait_for("waiting for a change")
        assert "No module named 'missing_yet'" in server.output
        assert "data_bridge" not in server.output.partition("Traceback")[2].partition("data-bridge: error")[0]
        write(tmp_path / "app.py", "mended")
        await_answer(server, "mended")
        assert server.stop(signal.SIGINT) == 0


def test_an_env_file_counts_where_it_is_told_to(tmp_path: Path) -> None:
    write(tmp_path / "app.py", "first")
    (tmp_path / "settings.env").write_text("A=1\n")
    with servers.data_bridge("app:app", "--reload", "--reload-include", "*.env", app_dir=tmp_path) as server:
        await_answer(server, "first")
        (tmp_path / "settings.env").write_text("A=2\n")
        server.wait_for("Changed: settings.env. Starting again.")
        await_answer(server, "first")
