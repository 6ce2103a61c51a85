"""What the compiler says of functions that are no handlers: one message for each, which names what is wrong."""

from __future__ import annotations

import pytest
from tests.support import modules


@pytest.fixture(scope="module")
def said() -> str:
    return modules.refused_cases()


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("a handler cannot take an argument of type `Untaken`", "pub async fn takes_anything"),
        ("a handler cannot answer with `Unanswered`", "pub async fn gives_anything"),
        ("the handler `takes_two_bodies` takes the request's body more than once", "pub async fn takes_two_bodies"),
        ("a handler is an `async fn`", "pub fn at_once"),
        ("a handler has no type or lifetime parameters", "pub async fn generic"),
        ("the only option of a handler is `tokio`", "#[handler(threads)]"),
    ],
)
def test_each_mistake_is_said_once(said: str, message: str, line: str) -> None:
    (found,) = [part for part in said.split("\nerror") if message in part]
    assert line in found
