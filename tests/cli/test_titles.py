"""What `ps` calls the processes of a server."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from tests.support import servers

APPS = Path(__file__).parents[1] / "http" / "apps"

#: Stands in for setproctitle, which is nobody's dependency: leaves the title beside the process's id.
STAND_IN = """
import os, pathlib
def setproctitle(title):
    (pathlib.Path(__file__).parent / f"{os.getpid()}.title").write_text(title)
"""


def workers(server: servers.Server) -> list[int]:
    return [int(pid) for pid in re.findall(r"Worker (\d+) is ready", server.output)]


def first_in(folder: Path) -> dict[str, str]:
    """An environment whose Python looks for modules in ``folder`` first."""
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)}


def comm(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


@pytest.fixture
def without(tmp_path: Path) -> dict[str, str]:
    """An environment in which setproctitle cannot be imported."""
    (tmp_path / "setproctitle.py").write_text("raise ImportError\n")
    return first_in(tmp_path)


def test_short_names_without_setproctitle(without: dict[str, str]) -> None:
    with servers.data_bridge("plain:app", app_dir=APPS, env=without) as server:
        assert comm(server.process.pid) == "data-bridge"
    with servers.data_bridge("plain:app", "--workers", "2", app_dir=APPS, env=without) as server:
        assert comm(server.process.pid) == "data-bridge"
        assert [comm(pid) for pid in workers(server)] == ["data-bridge-wrk"] * 2


@pytest.mark.parametrize(("flags", "name"), [((), "plain:app"), (("--process-name", "shop"), "shop")])
def test_whole_titles_with_it(flags: tuple[str, ...], name: str, tmp_path: Path) -> None:
    (tmp_path / "setproctitle.py").write_text(STAND_IN)
    env = first_in(tmp_path)

    def title(pid: int) -> str:
        return (tmp_path / f"{pid}.title").read_text()

    with servers.data_bridge("plain:app", *flags, app_dir=APPS, env=env) as server:
        assert title(server.process.pid) == f"data-bridge: server [{name}]"
    with servers.data_bridge("plain:app", "--workers", "2", *flags, app_dir=APPS, env=env) as server:
        assert title(server.process.pid) == f"data-bridge: master [{name}]"
        assert [title(pid) for pid in workers(server)] == [f"data-bridge: worker [{name}]"] * 2
