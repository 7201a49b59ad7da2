"""A text that escaping is said to leave alone is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rendering.escapes import ESCAPES, MAX_HEADER, inert

TEXTS = st.lists(st.text(st.characters() | st.sampled_from(" \t\n\r\0\x85\u2028\u202e&<>\"'\\/%_-."), max_size=12), min_size=1, max_size=4)


@pytest.mark.parametrize("escaping", sorted(ESCAPES))
@given(texts=TEXTS)
def test_escaping_changes_nothing_that_is_called_inert(escaping: str, texts: list[str]) -> None:
    if inert(escaping, texts):
        assert [ESCAPES[escaping](text) for text in texts] == texts


@pytest.mark.parametrize("escaping", sorted(ESCAPES))
def test_a_message_id_is_inert_everywhere(escaping: str) -> None:
    assert inert(escaping, ["AQAAAAAAAQAAAAD-_9zZ0aBcDeFg", "x"])


def test_a_subject_is_not_inert_when_one_value_is_too_long() -> None:
    assert not inert("header", ["a", "b" * (MAX_HEADER + 1)])
