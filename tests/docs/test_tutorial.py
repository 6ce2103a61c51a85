"""The tutorial's examples: each app answers the requests written below it as it says there; tests among them pass."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from data_bridge.testclient import TestClient

GUIDE = Path(__file__).parents[2] / "docs" / "guide"
CHAPTER = re.compile(r"^## (.*?)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```(python|http)\n(.*?)^```", re.DOTALL | re.MULTILINE)
FORM = re.compile(r"[\w.]+=\S*$")


def chapters() -> list[Any]:
    found = []
    for name in ("tutorial.md", "moving-from-fastapi.md"):
        text = (GUIDE / name).read_text(encoding="utf-8")
        for title, content in CHAPTER.findall(text):
            if blocks := BLOCK.findall(content):
                found.append(pytest.param(blocks, id=f"{name}: {title}"))
    return found


@pytest.mark.parametrize("blocks", chapters())
def test_a_chapter_does_what_it_says(blocks: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("chapter")
    monkeypatch.setitem(sys.modules, "chapter", module)  # where annotations are looked up
    for kind, text in blocks:
        if kind == "python":
            exec(compile(text, "chapter", "exec"), module.__dict__)
            for name in [name for name in vars(module) if name.startswith("test_")]:
                vars(module).pop(name)()
        else:
            client = TestClient(module.app, raise_server_exceptions=False)
            for exchange in text.strip().split("\n\n"):
                asked, _, expected = exchange.partition("\n→ ")
                assert_answer(client, asked, expected)


def assert_answer(client: TestClient, asked: str, expected: str) -> None:
    method, path, *rest = asked.split(" ", 2)
    status, _, content = expected.partition(" ")
    answer = client.request(method, path, **sent(rest[0] if rest else ""))
    assert (answer.status_code, asked) == (int(status), asked), answer.text
    if content[:1] in '{["':
        assert answer.json() == json.loads(content)
    else:
        assert content in answer.text


def sent(text: str) -> dict[str, Any]:
    """What stands behind the path: a form, JSON (right or wrong), or a header."""
    if FORM.match(text):
        return {"data": dict(pair.split("=") for pair in text.split("&"))}
    if text[:1] in ("{", "["):
        return {"content": text, "headers": {"content-type": "application/json"}}
    name, _, value = text.partition(": ")
    return {"headers": {name: value}} if text else {}


def test_the_command_that_changes_imports_changes_them(tmp_path: Path) -> None:
    guide = (GUIDE / "moving-from-fastapi.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^    (grep .*)$", guide, re.MULTILINE)
    source = (
        "import fastapi",
        "from fastapi import FastAPI",
        "from fastapi.requests import Request",
        "import fastapi_users",
    )
    (tmp_path / "main.py").write_text("\n".join(source))
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    assert (tmp_path / "main.py").read_text().splitlines() == [
        "import data_bridge.fastapi as fastapi",
        "from data_bridge.fastapi import FastAPI",
        "from data_bridge.fastapi.requests import Request",
        "import fastapi_users",
    ]


def test_starlettes_modules_have_a_counterpart() -> None:
    guide = (GUIDE / "moving-from-fastapi.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| `(starlette[\w.]*)`[^|]* \| `([\w.]*)`", guide, re.MULTILINE)
    assert len(table) > 10
    for theirs, ours in table:
        assert find_spec(theirs)
        assert importlib.import_module(ours)
