"""`data-bridge new-native` writes a project that builds, and whose own test passes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support import modules, servers

if TYPE_CHECKING:
    from pathlib import Path


def test_the_new_project_builds_and_passes(tmp_path: Path) -> None:
    done = servers.command("new-native", "hot-routes", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "hot_routes.price" in done.stdout
    project, site = tmp_path / "hot-routes", tmp_path / "site"
    modules.wheel(project, site, profile="dev")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    env = {**os.environ, "PYTHONPATH": str(site)}
    tested = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout
    again = servers.command("new-native", "hot-routes", folder=tmp_path)
    assert (again.returncode, "exists already" in again.stderr) == (2, True)


def test_a_name_that_python_cannot_import(tmp_path: Path) -> None:
    done = servers.command("new-native", "7-hot", folder=tmp_path)
    assert (done.returncode, "no name of a Python module" in done.stderr) == (2, True)
