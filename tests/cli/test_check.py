"""`data-bridge check`: mistakes in routes, with file and line, and an exit code."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.support.servers import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """from uuid import UUID
from {module} import FastAPI, APIRouter, Depends, Path, Request, WebSocket
app = FastAPI()
router = APIRouter()
"""

#: Source and what is said of it.
WRONG = [
    (
        "@app.get('/items/{name}')\ndef by_name(name: str): ...\n@app.get('/items/me')\ndef me(): ...",
        "main.py:7: GET /items/me is never reached: GET /items/{name} (main.py:5) stands before it",
    ),
    (
        "@app.get('/x')\ndef one(): ...\n@app.get('/x')\ndef two(): ...",
        "main.py:7: GET /x is never reached: GET /x (main.py:5)",
    ),
    (
        "@app.get('/{n}')\ndef one(n): ...\n@app.get('/{n:int}')\ndef two(n: int): ...",
        "main.py:7: GET /{n:int} is never reached",
    ),
    (
        "app.mount('/sub', FastAPI())\n@app.get('/sub/x')\ndef late(): ...",
        "main.py:6: GET /sub/x is never reached: MOUNT /sub",
    ),
    (
        (
            "@app.websocket('/{a}')\nasync def one(w: WebSocket): ...\n"
            "@app.websocket('/b')\nasync def two(w: WebSocket): ..."
        ),
        "main.py:7: WEBSOCKET /b is never reached",
    ),
    (
        (
            "@router.get('/{x}')\ndef one(x): ...\n@router.get('/y')\ndef two(): ...\n"
            "app.include_router(router, prefix='/r')"
        ),
        "main.py:7: GET /r/y is never reached: GET /r/{x} (main.py:5)",
    ),
    (
        "sub = FastAPI()\n@sub.get('/{a}')\ndef one(b: int): ...\napp.mount('/sub', sub)",
        "main.py:6: GET /sub/{a}: no function takes the path parameter 'a'",
    ),
    (
        "from __future__ import annotations\ndef needs(x: Nowhere): ...\n@app.get('/')\ndef one(d=Depends(needs)): ...",
        "main.py:6: GET /: the type 'Nowhere' of the parameter 'x' is not to be found",
    ),
    ("@app.get('items')\ndef one(): ...", "main.py:5: GET items: the path does not begin with a slash"),
    ("@app.get('/{x')\ndef one(x): ...", "main.py:5: GET /{x: a brace without its counterpart"),
    (
        "@app.get('/y')\ndef one(x: int = Path()): ...",
        "main.py:5: GET /y: 'x' is declared as a path parameter, but the path has none",
    ),
    (
        (
            "class Odd:\n    @classmethod\n    def __get_pydantic_core_schema__(cls, *_):\n"
            "        from pydantic_core import core_schema\n        return core_schema.is_instance_schema(cls)\n"
            "@app.post('/')\ndef one(x: Odd): ..."
        ),
        "main.py:10: POST /: it cannot be described in OpenAPI: Cannot generate a JsonSchema for",
    ),
    (
        "@app.get('/a', operation_id='x')\ndef a(): ...\n@app.get('/b', operation_id='x')\ndef b(): ...",
        "main.py: Duplicate Operation ID x for function b",
    ),
]

RIGHT = """
@app.get('/items/me')
def me(): ...
@app.get('/items/{n:int}')
def number(n: int): ...
@app.get('/items/{name}')
def by_name(name: str): ...
@app.post('/items/{name}')
def post(name: str): ...
@app.get('/files/{path:path}')
def file(path: str): ...
def from_path(thing: UUID): ...
@app.get('/things/{thing}', dependencies=[Depends(from_path)])
def thing(): ...
@app.get('/any/{x}')
def any_(request: Request): ...
@app.websocket('/items/me')
async def socket(w: WebSocket): ...
app.mount('/sub', FastAPI())
"""


def check(folder: Path, source: str, module: str = "data_bridge.fastapi") -> tuple[int, str]:
    future = "from __future__ import annotations\n"
    whole = HEAD.format(module=module) + source
    if future in whole:
        whole = future + whole.replace(future, "")
    (folder / "main.py").write_text(whole)
    command = [sys.executable, "-m", "data_bridge", "check", "main:app"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("source", "said"), WRONG)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, source: str, said: str) -> None:
    code, output = check(tmp_path, source)
    assert code == 1, output
    assert said in output.replace(f"{tmp_path}/", "")
    assert "1 to mend in main:app" in output


@pytest.mark.parametrize("module", ["data_bridge.fastapi", "fastapi"])
def test_nothing_is_found_where_nothing_is_wrong(tmp_path: Path, module: str) -> None:
    assert check(tmp_path, RIGHT, module) == (0, "main:app: nothing to mend\n")


def test_an_app_of_fastapi_is_checked_too(tmp_path: Path) -> None:
    source, said = WRONG[0]
    code, output = check(tmp_path, source, "fastapi")
    assert code == 1
    assert said in output


def test_what_cannot_be_registered_is_told_with_file_and_line(tmp_path: Path) -> None:
    code, output = check(tmp_path, "@app.get('/')\ndef endpoint(x: Nowhere): ...")
    assert code == 1
    assert 'main.py", line' in output
    assert "Nowhere" in output
