"""FastAPI's documentation examples with the import changed only: each must run, and give the same OpenAPI document.

python examples.py DOCS_SRC REPORT.json          imports every example of a folder and writes down its document
compare(...)                                     does that for the folder as it is and for a copy with our imports
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

IMPORT = re.compile(r"^(\s*)(from|import) (fastapi)\b(?!_)", re.MULTILINE)


def changed(source: str) -> str:
    """The source with `data_bridge.fastapi` imported in the place of `fastapi`."""

    def ours(match: re.Match[str]) -> str:
        indent, word, _ = match.groups()
        return f"{indent}{word} data_bridge.fastapi" + (" as fastapi" if word == "import" else "")

    return IMPORT.sub(ours, source)


def describe(folder: Path) -> dict[str, str]:
    """Import each example. Gives the document of its app, or what went wrong."""
    sys.path.insert(0, str(folder.parent))
    found = {}
    for path in sorted(folder.rglob("*.py")):
        name = ".".join(path.relative_to(folder.parent).with_suffix("").parts)
        if name.endswith("__init__") or ".test_" in name:
            continue
        try:
            app = getattr(importlib.import_module(name), "app", None)
            if hasattr(app, "openapi"):
                found[name] = json.dumps(app.openapi())
        except Exception as error:  # noqa: BLE001 - an example may need a package that is not there
            found[name] = f"{type(error).__name__}: {error}"
    return found


def compare(python: Path, source: Path, out: Path) -> tuple[int, list[str]]:
    """Run the examples on FastAPI and on ours. Gives how many run on FastAPI, and those that differ on ours."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / "docs_src"
        shutil.copytree(source / "docs_src", copy)
        for path in copy.rglob("*.py"):
            path.write_text(changed(path.read_text(encoding="utf-8")), encoding="utf-8")
        reports = []
        for name, folder in (("fastapi", source.resolve() / "docs_src"), ("ours", copy)):
            report = out / f"examples-{name}.json"
            command = [python.absolute(), Path(__file__).resolve(), folder, report.resolve(), name]
            environment = os.environ | {"PYTHONWARNINGS": "ignore"}
            subprocess.run(command, cwd=folder.parent, env=environment, check=True)
            reports.append(json.loads(report.read_text(encoding="utf-8")))
    theirs, ours = reports
    fine = [name for name, document in theirs.items() if document.startswith("{")]
    return len(fine), [name for name in fine if ours.get(name) != theirs[name]]


if __name__ == "__main__":
    if sys.argv[3] == "ours":
        import data_bridge.fastapi

        data_bridge.fastapi.install()  # for libraries that make routers
    Path(sys.argv[2]).write_text(json.dumps(describe(Path(sys.argv[1]).resolve()), indent=0), encoding="utf-8")
