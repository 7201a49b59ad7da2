from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.canonical import canonical
from governance.door import difference

VALUE = st.recursive(
    st.none() | st.integers(-3, 3) | st.sampled_from(["a", "b", "/", "~"]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(["id", "a", "b", "a/b", "~"]), inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=150, deadline=None)
@given(VALUE, VALUE)
def test_there_is_no_difference_exactly_between_equals(before: Any, after: Any) -> None:
    assert (difference(before, after) == []) == (canonical(before) == canonical(after))


def changes(before: Any, after: Any) -> list[tuple[str, str]]:
    return [(change.path, change.op) for change in difference(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 2}, [("/a", "changed")]),
        ({"a": 1}, {"b": 1}, [("/a", "removed"), ("/b", "added")]),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, [("/a/b/1", "changed")]),
        ([1, 2, 3], [1, 9, 2, 3], [("/1", "added")]),
        ([1, 2, 3], [1, 3], [("/1", "removed")]),
        ([{"id": "x", "n": 1}, {"id": "y"}], [{"id": "new"}, {"id": "x", "n": 2}, {"id": "y"}], [("/0", "added"), ("/1/n", "changed")]),
        ({"a/b": 1}, {"a/b": 2}, [("/a~1b", "changed")]),
        ({"a": 1}, {"a": True}, [("/a", "changed")]),
    ],
)
def test_each_change_is_placed(before: Any, after: Any, expected: list[tuple[str, str]]) -> None:
    assert changes(before, after) == expected


def test_long_lists_are_compared_quickly() -> None:
    before = [f"user-{number}" for number in range(10_000)]
    assert changes(before, ["user-x", *before[1:]]) == [("/0", "changed")]
