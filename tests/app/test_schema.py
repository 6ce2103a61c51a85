"""Schemas that are made without Pydantic's generator are those that it would make."""

from __future__ import annotations

import subprocess
import sys
import uuid
from typing import Any, Optional, Union

import pytest
from pydantic import BaseModel, TypeAdapter

from data_bridge.plan.schema import _plain_schema, adapt


class Item(BaseModel):
    name: str


@pytest.mark.parametrize(
    "annotation",
    [
        Any, str, int, float, bool, uuid.UUID, None, dict, list, list[int], dict[str, Any], dict[str, list[int | None]],
        int | None, Optional[str], Union[bool, None],  # noqa: UP007, UP045 - the old spellings, too
        list[dict[str, float]], list[Any],
    ],
    ids=str,
)  # fmt: skip
def test_plain_schemas_are_those_of_pydantic(annotation):
    annotation = type(None) if annotation is None else annotation
    assert _plain_schema(annotation) == TypeAdapter(annotation).core_schema


@pytest.mark.parametrize(
    "annotation", [Item, list[Item], dict[str, Item], tuple[int, ...], set[int], int | str, int | str | None], ids=str
)
def test_everything_else_is_left_to_pydantic(annotation):
    assert _plain_schema(annotation) is None
    assert adapt(annotation).schema == TypeAdapter(annotation).core_schema


def test_an_application_without_models_does_not_import_the_generator():
    code = """
import sys
from data_bridge import App
app = App()
@app.get("/{a}")
async def handler(a: int, q: str | None = None) -> dict[str, list[int]]: ...
heavy = [name for name in sys.modules if name in ("pydantic.main", "pydantic.type_adapter", "fastapi")]
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
