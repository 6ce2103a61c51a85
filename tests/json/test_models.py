"""Models by their plan beside Pydantic: the same bytes, whatever the shape and the wishes."""

import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import data_bridge.json as ours
from data_bridge import _native

from .models import ADAPTERS, SHAPES

WISHES = st.fixed_dictionaries(
    {"by_alias": st.sampled_from([None, True, False]), "exclude_none": st.booleans(), "exclude_unset": st.booleans()}
)
PAIRS = st.sampled_from(sorted(SHAPES)).flatmap(lambda name: st.tuples(st.just(name), SHAPES[name][1]))


def planned(name: str, value: Any, **wishes: Any) -> bytes | None:
    return _native.testing.planned_body(ADAPTERS[name].core_schema, value, **wishes)


@given(PAIRS, WISHES)
def test_a_plan_writes_what_pydantic_writes(pair, wishes):
    name, value = pair
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = ADAPTERS[name].dump_json(value, **wishes)
    written = planned(name, value, **wishes)
    assert written is None or written == expected


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_has_a_plan_that_is_followed(name):
    followed = []

    @given(SHAPES[name][1])
    def follow(value):
        followed.append(planned(name, value) is not None)

    follow()
    assert any(followed)


@given(st.lists(SHAPES["nested"][1], max_size=3))
def test_dumps_writes_models_as_they_write_themselves(models):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = b"[" + b",".join(model.model_dump_json().encode() for model in models) + b"]"
    assert ours.dumps(models) == expected
