"""`data-bridge routes` shows each route's tier and, where it is not compiled, why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

APPS = Path(__file__).parent / "apps"


def routes(target: str, app_dir: Path = APPS) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "data_bridge", "routes", target, "--app-dir", str(app_dir)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def tiers(target: str, app_dir: Path = APPS) -> dict[str, tuple[str, str]]:
    done = routes(target, app_dir)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.partition("\n\n")[0].splitlines()[1:]
    cells = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines]
    return {f"{row[0]} {row[1]}": (row[2], row[3] if len(row) > 3 else "") for row in cells}


def test_a_fastapi_app() -> None:
    found = tiers("rich:app")
    assert found["GET /text"] == ("T1", "")
    assert found["POST /items"] == ("T1", "")
    assert found["GET /query"] == ("T1", "")
    assert found["GET /two"] == ("T2", "it has dependencies")
    assert found["GET /resource"][0] == "T2"
    assert found["PUT /several/{key}"] == ("T2", "its body is read in Python")
    assert found["POST /checked"] == ("T3", "'given' has a validator in Python")
    assert found["- /sub"] == ("T3", "it is a Mount")


def test_an_app_of_ours(tmp_path: Path) -> None:
    (tmp_path / "ours.py").write_text(
        "from data_bridge import App\napp = App()\napp.native('/health', 'ok')\n"
        "@app.get('/items/{key}')\nasync def item(key: int): return key\n"
    )
    found = tiers("ours:app", tmp_path)
    assert found["GET HEAD /health"] == ("T0", "")
    assert found["GET /items/{key}"] == ("T1", "")


def test_something_else(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text("async def app(scope, receive, send): ...\n")
    done = routes("plain:app", tmp_path)
    assert done.returncode == 2
    assert "plain ASGI" in done.stderr
