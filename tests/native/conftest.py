"""Modules with native handlers: the example's wheel, and the cases of these tests."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from tests.support import modules as build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with `native_cases` and `native_wheel`, from which they can be imported."""
    folder = tmp_path_factory.mktemp("modules")
    build.cases(folder)
    build.wheel(build.ROOT / "examples" / "native_wheel", folder)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
