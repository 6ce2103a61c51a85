"""Piccolo Admin, a FastAPI application of some size from PyPI, unchanged on our server: as under uvicorn.

It is installed once into a folder of its own beside the test environment.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.conftest import FORBID_SKIPS
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
PACKAGES = HERE / "piccolo.txt"
ROOT = HERE.parent.parent
MOVIE = {"name": "Us", "rating": 6.8, "duration": 6960, "director": 1, "oscar_nominations": 0, "won_oscar": False}

#: What a visitor does, in this order; later ones see what earlier ones changed.
MAIN_PATHS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/admin/", {}),
    ("GET", "/admin", {}),
    ("GET", "/admin/public/meta/", {}),
    ("GET", "/admin/public/translations/de/", {}),
    ("GET", "/admin/api/tables/", {}),
    ("POST", "/admin/public/login/", {"json": {"username": "piccolo", "password": "wrong"}}),
    ("POST", "/admin/public/login/", {"json": {"username": "piccolo", "password": "piccolo123"}}),
    ("GET", "/admin/api/user/", {}),
    ("GET", "/admin/api/tables/", {}),
    ("GET", "/admin/api/tables/grouped/", {}),
    ("GET", "/admin/api/tables/movie/schema/", {}),
    ("GET", "/admin/api/tables/movie/?__page=1&__page_size=5&__order=-rating&__readable=true", {}),
    ("GET", "/admin/api/tables/movie/?name=star&name__match=contains", {}),
    ("GET", "/admin/api/tables/director/ids/?search=george", {}),
    ("GET", "/admin/api/tables/movie/1/", {}),
    ("GET", "/admin/api/tables/movie/9999/", {}),
    ("GET", "/admin/api/tables/movie/new/", {}),
    ("GET", "/admin/api/forms/", {}),
    ("GET", "/admin/api/openapi.json", {}),
    ("GET", "/admin/assets/none.js", {}),
    ("POST", "/admin/api/tables/director/", {"json": {"name": "Jordan Peele", "gender": "m"}}),
    ("PATCH", "/admin/api/tables/movie/2/", {"json": {"rating": 9.5}}),
    ("GET", "/admin/api/tables/movie/2/", {}),
    ("DELETE", "/admin/api/tables/ticket/1/", {}),
    ("GET", "/movies/", {}),
    ("GET", "/movies/?__page=2&__page_size=3&__order=name", {}),
    ("GET", "/movies/?__page_size=1000", {}),
    ("GET", "/movies/?__page=x", {}),
    ("GET", "/movies/?rating=8&rating__operator=gt&__visible_fields=id,name", {}),
    ("GET", "/movies/?__range_header=true", {}),
    ("GET", "/movies/count/", {}),
    ("GET", "/movies/ids/", {}),
    ("GET", "/movies/schema/", {}),
    ("GET", "/movies/references/", {}),
    ("GET", "/movies/1/", {}),
    ("GET", "/movies/x/", {}),
    ("GET", "/movies/1", {}),
    ("POST", "/movies/", {"json": MOVIE}),
    ("POST", "/movies/", {"json": {"name": 1, "rating": "high"}}),
    ("POST", "/movies/", {"content": b"{", "headers": {"content-type": "application/json"}}),
    ("PUT", "/movies/3/", {"json": MOVIE}),
    ("PATCH", "/movies/3/", {"json": {"name": "Nope"}}),
    ("PATCH", "/movies/3/", {"json": {"unknown": 1}}),
    ("GET", "/movies/3/", {}),
    ("DELETE", "/movies/3/", {}),
    ("GET", "/movies/3/", {}),
    ("GET", "/directors/?__order=-name", {}),
    ("GET", "/longest/3", {}),
    ("GET", "/longest/x", {}),
    ("DELETE", "/longest/3", {}),
    ("GET", "/openapi.json", {}),
    ("GET", "/docs", {}),
    ("POST", "/admin/public/logout/", {}),
    ("GET", "/admin/api/user/", {}),
]

#: Written by each server, or a secret that is new each time.
OWN = {"date", "server", "connection", "set-cookie"}


@pytest.fixture(scope="module")
def folder() -> Path:
    """Where the packages are."""
    made = ROOT / "target" / "strangers" / f"piccolo-{sys.implementation.cache_tag}"
    ready = made / "complete.txt"
    if not ready.exists() or ready.read_text() != PACKAGES.read_text():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--no-deps", "--target", str(made)]
        done = subprocess.run([*command, "-r", str(PACKAGES)], check=False, capture_output=True, text=True)
        if done.returncode:
            message = f"Piccolo Admin cannot be installed: {done.stderr[-500:]}"
            if FORBID_SKIPS:
                pytest.fail(message)
            pytest.skip(message)
        ready.write_text(PACKAGES.read_text())
    return made


@pytest.fixture(scope="module")
def pair(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    with contextlib.ExitStack() as stack:
        urls = []
        for run in (servers.data_bridge, servers.uvicorn):
            env = {
                "CINEMA": str(tmp_path_factory.mktemp("cinema") / "cinema.sqlite"),
                "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]),
                "PYTHONHASHSEED": "0",
            }
            urls.append(stack.enter_context(run("cinema:app", app_dir=HERE / "apps", env=env)).url)
        yield urls


def answers(base: str) -> list[Any]:
    with httpx.Client(base_url=base, timeout=servers.PATIENCE) as client:
        seen = []
        for method, path, options in MAIN_PATHS:
            token = client.cookies.get("csrftoken")
            headers = {**options.get("headers", {}), **({"x-csrftoken": token} if token else {})}
            answer = client.request(method, path, **{**options, "headers": headers})
            kept = sorted((k, v.replace(base, "http://server")) for k, v in answer.headers.items() if k not in OWN)
            seen.append((method, path, answer.status_code, kept, answer.content))
        return seen


def test_its_main_paths_are_as_under_uvicorn(pair: list[str]) -> None:
    ours, theirs = (answers(base) for base in pair)
    for got, expected in zip(ours, theirs, strict=True):
        assert got == expected
    statuses = {(method, path): status for method, path, status, _, _ in ours}
    assert statuses["POST", "/admin/public/login/"] == 200
    assert statuses["PATCH", "/admin/api/tables/movie/2/"] == 200
    assert [status for _, path, status, *_ in ours if status >= 500] == []
    assert sum(status < 300 for _, _, status, *_ in ours) > len(MAIN_PATHS) / 2


def test_its_endpoints_are_compiled(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "data_bridge", "routes", "cinema:app", "--app-dir", str(HERE / "apps")]
    env = {**os.environ, "CINEMA": str(tmp_path / "cinema.sqlite"), "PYTHONPATH": str(folder)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    compiled = [line for line in done.stdout.splitlines() if " T1" in line or " T2" in line]
    assert len(compiled) >= 23
