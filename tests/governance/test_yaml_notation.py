from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from governance.canonical import canonical
from governance.yaml_files import read, write

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
TRAPS = [
    "no",
    "~",
    "1_000",
    "0x1f",
    "2026-01-01",
    "- a",
    "a: b",
    "# x",
    "|",
    "\n",
    "x\n",
    " x",
    "a\tb",
    "12:30",
    "\u2028",
    "\x85",
    "\ufeff",
    "---",
    "\x1f\n",
]
LEAF = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-(2**53), 2**53, allow_nan=False) | TEXT | st.sampled_from(TRAPS)
)
VALUE = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT | st.sampled_from(TRAPS), inner, max_size=4), max_leaves=10
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(TEXT | st.sampled_from(["title", "id", *TRAPS]), VALUE, max_size=5))
def test_any_body_is_read_back_as_it_was_and_written_to_the_same_bytes(body: dict[str, Any]) -> None:
    raw = write(body)
    assert canonical(read(raw)) == canonical(body)
    assert write(read(raw)) == raw


def test_the_order_of_fields_in_the_body_does_not_matter() -> None:
    assert write({"b": 1, "title": "x", "a": {"z": 1, "id": 2}}) == write({"a": {"id": 2, "z": 1}, "title": "x", "b": 1})


def test_an_unquoted_date_is_text() -> None:
    assert read(b"on: 2026-01-01\nat: 12:30\n") == {"on": "2026-01-01", "at": "12:30"}
