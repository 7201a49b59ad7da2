"""Two edits of one document become one: nothing that either side changed is lost, and mine counts where both changed the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.merging import merged

values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=8,
)
bodies = st.dictionaries(st.sampled_from("uvwxyz"), values, max_size=4)


@given(bodies, bodies)
def test_an_edit_of_one_side_only_is_that_side(base: dict[str, Any], other: dict[str, Any]) -> None:
    assert merged(base, other, base) == other == merged(base, base, other)
    assert merged(base, other, other) == other


@given(bodies, bodies, bodies)
def test_each_field_that_one_side_changed_is_as_that_side_has_it(
    base: dict[str, Any], theirs: dict[str, Any], mine: dict[str, Any]
) -> None:
    made = merged(base, theirs, mine)
    for name in {*base, *theirs, *mine}:
        before, left, right = (body.get(name, "gone") for body in (base, theirs, mine))
        if right == before:
            assert made.get(name, "gone") == left
        elif left == before:
            assert made.get(name, "gone") == right


@pytest.mark.parametrize(
    ("theirs", "mine", "both"),
    [
        ([{"id": "a", "text": "x"}, {"id": "b", "text": "1"}], [{"id": "a", "text": "0"}, {"id": "b", "text": "y"}], ["x", "y"]),
        ([{"id": "a", "text": "x"}, {"id": "b", "text": "1"}], [{"id": "b", "text": "y"}], ["y"]),
    ],
    ids=["the same blocks, each side another one", "moved or removed blocks are mine as a whole"],
)
def test_blocks_are_merged_by_their_ids(theirs: list[Any], mine: list[Any], both: list[str]) -> None:
    base = [{"id": "a", "text": "0"}, {"id": "b", "text": "1"}]
    assert [block["text"] for block in merged({"blocks": base}, {"blocks": theirs}, {"blocks": mine})["blocks"]] == both
