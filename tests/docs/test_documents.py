"""What the documents say is true: examples run, commands exist, links lead somewhere."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.support import servers

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "benchmarks" / "README.md"])
FENCED = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
MAKE = re.compile(r"(?:^    |^|`)(?:PYTHON=\S+ )?make (\w[\w-]*)", re.MULTILINE)


def examples() -> list[object]:
    found = []
    for document in DOCUMENTS:
        for number, code in enumerate(FENCED.findall(document.read_text(encoding="utf-8"))):
            found.append(pytest.param(code, id=f"{document.relative_to(ROOT)}-{number}"))
    return found


def by_name(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("code", examples())
def test_an_example_runs(code: str, tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(code)
    command = [sys.executable, "-W", "error", "-c", "import example"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=servers.PATIENCE)
    if "app = " in code:
        with servers.data_bridge("example:app", app_dir=tmp_path) as server:
            assert httpx.get(server.url + "/no-such-path").status_code == 404


def test_the_first_example_of_the_readme_answers(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(FENCED.findall((ROOT / "README.md").read_text(encoding="utf-8"))[0])
    with servers.data_bridge("main:app", app_dir=tmp_path) as server:
        assert httpx.get(server.url + "/hello/you").json() == {"message": "Hello, you!"}


def test_hello_answers_what_make_serve_says_to_ask_for() -> None:
    asked = re.search(r"curl http://127\.0\.0\.1:8000(\S*?)\"", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert asked
    with servers.data_bridge("hello:app", app_dir=ROOT / "examples") as server:
        answer = httpx.get(server.url + asked[1])
    assert answer.status_code == 200
    assert answer.json() == {"message": "Hello, World!"}


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=by_name)
def test_an_example_file_can_be_imported(path: Path) -> None:
    runpy.run_path(str(path), run_name="imported")


@pytest.mark.parametrize("document", DOCUMENTS, ids=by_name)
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert [link for link in LINK.findall(text) if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", ["ARCHITECTURE.md", "docs/reference/promises.md"])
def test_named_files_exist(document: str) -> None:
    named = re.findall(r"`([\w-]+/[\w/.-]*)`", (ROOT / document).read_text(encoding="utf-8"))
    crates = {folder.name for folder in (ROOT / "crates").iterdir()}
    missing = []
    for path in named:
        crate, _, inside = path.partition("/")
        place = ROOT / "crates" / crate / "src" / inside if crate in crates else ROOT / path
        if not place.exists():
            missing.append(path)
    assert named
    assert missing == []


def test_named_make_targets_exist() -> None:
    make = shutil.which("make")
    assert make, "make is what runs these tests"
    listed = subprocess.run([make, "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = set(re.findall(r"make ([\w-]+)", listed))
    named = {name for document in DOCUMENTS for name in MAKE.findall(document.read_text(encoding="utf-8"))}
    assert named
    assert named <= targets
