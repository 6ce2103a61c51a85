"""`data-bridge new-native NAME`: a small project of a module with native handlers, which builds and runs at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from . import _native
from .loading import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

_CARGO = """\
[package]
name = "{name}"
version = "0.1.0"
edition = "2024"

[lib]
crate-type = ["cdylib", "rlib"]

[features]
# What maturin, which builds the wheel, knows an extension module by: one wheel for every CPython from 3.11 on.
wheel = ["dep:pyo3-ffi"]

[dependencies]
data-bridge-sdk = {{ path = "vendor/crates/sdk" }}
pyo3-ffi = {{ version = "0.30", features = ["abi3-py311"], optional = true }}
schemars = "1"
serde = {{ version = "1", features = ["derive"] }}

[profile.release]
lto = "thin"

[workspace]
exclude = ["vendor"]
"""

_PYPROJECT = """\
[build-system]
requires = ["maturin>=1.9,<2"]
build-backend = "maturin"

[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.11"

[tool.maturin]
features = ["wheel"]
"""

_HANDLERS = """\
//! Handlers in Rust, for `app.native()`.

use data_bridge_sdk::{{Errors, Json, JsonSchema, Path, Query, handler, module}};
use serde::{{Deserialize, Serialize}};

#[derive(Deserialize, JsonSchema)]
pub struct Order {{
    /// How many.
    #[serde(default = "one")]
    count: u32,
}}

fn one() -> u32 {{
    1
}}

#[derive(Serialize, JsonSchema)]
pub struct Price {{
    id: u64,
    total: f64,
}}

#[derive(Errors)]
pub enum Refused {{
    #[error(status = 404, code = "no_such_item", message = "there is no such item")]
    Unknown,
}}

/// The price of some of an item.
#[handler]
pub async fn price(
    Path(id): Path<u64>,
    Query(order): Query<Order>,
) -> Result<Json<Price>, Refused> {{
    if id == 0 {{
        return Err(Refused::Unknown);
    }}
    Ok(Json(Price {{ id, total: 1.5 * f64::from(order.count) }}))
}}

module! {{
    name: {name},
    handlers: [price],
}}
"""

_TEST = """\
import {name}
from data_bridge import App
from data_bridge.testclient import TestClient

app = App()
app.native("/price/{{id}}", {name}.price)


def test_price():
    client = TestClient(app)
    assert client.get("/price/7?count=2").json() == {{"id": 7, "total": 3.0}}
    assert client.get("/price/0").status_code == 404
"""

_FILES = {
    "Cargo.toml": _CARGO,
    "pyproject.toml": _PYPROJECT,
    "src/lib.rs": _HANDLERS,
    "tests/test_{name}.py": _TEST,
    ".gitignore": "/target/\n*.so\n__pycache__/\n",
}


def create(folder: Path) -> str:
    """Write a project into ``folder``, which must not exist; give what to do next. Raises :class:`Failure`."""
    name = folder.name.replace("-", "_")
    if not name.isidentifier() or not name.isascii():
        raise Failure(f"{folder.name!r} is no name of a Python module", code=2)
    if folder.exists():
        raise Failure(f"{folder} exists already", code=2)
    for path, text in _contents(name):
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return (
        f"{folder} is a module with one handler, {name}.price.\n"
        f"Build it:  pip install ./{folder}\nTest it:   pytest {folder}/tests\n"
        f'Use it:    app.native("/price/{{id}}", {name}.price)'
    )


def _contents(name: str) -> Iterator[tuple[str, str]]:
    sources = _native.sdk_sources()
    if not sources:
        raise Failure("this build of data_bridge carries no sources of data-bridge-sdk")
    for path, template in _FILES.items():
        yield path.format(name=name), template.format(name=name)
    for path, text in sources:
        yield str(Path("vendor") / path), text
