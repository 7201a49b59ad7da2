"""One token per message: short, ours, and worth nothing when anything about it was changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from hypothesis import given
from hypothesis import strategies as st

from delivery.door import MessageKey, message_id, message_ids, read_message_id

DISPATCHES, PLACES = st.integers(0, 2**48 - 1), st.integers(0, 2**32 - 1)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. "


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def set_keys(listed: str) -> None:
        monkeypatch.setattr(django_settings, "OMNI", django_settings.OMNI.model_copy(update={"token_keys": listed}))

    yield set_keys


@given(DISPATCHES, st.lists(PLACES, max_size=20))
def test_every_token_names_its_message_and_only_that(dispatch: int, places: list[int]) -> None:
    tokens = message_ids(dispatch, places)
    assert [read_message_id(token) for token in tokens] == [MessageKey(dispatch, n) for n in places]
    assert tokens == [message_id(dispatch, n) for n in places]
    assert all(len(token) == 28 and token.replace("-", "a").replace("_", "a").isalnum() for token in tokens)


def test_a_token_with_any_one_character_changed_is_nobodys() -> None:
    token = message_id(12345, 678)
    for place in range(len(token)):
        for other in ALPHABET:
            changed = token[:place] + other + token[place + 1 :]
            assert changed == token or read_message_id(changed) is None, changed


@given(st.one_of(st.text(max_size=60), st.text(alphabet=ALPHABET, min_size=28, max_size=28)))
def test_no_made_up_token_is_ours(made_up: str) -> None:
    assert read_message_id(made_up) is None


def test_a_shortened_or_lengthened_token_is_nobodys() -> None:
    token = message_id(1, 1)
    assert all(read_message_id(token[:length]) is None for length in range(28))
    assert read_message_id(token + "A") is None and read_message_id(token + token) is None and read_message_id(" " + token[1:]) is None


def test_old_links_live_as_long_as_their_key_is_listed(keys: Any) -> None:
    keys("first")
    old = message_id(9, 9)
    keys("second,first")
    assert read_message_id(old) == MessageKey(9, 9) and message_id(9, 9) != old
    keys("second")
    assert read_message_id(old) is None


@pytest.mark.parametrize(("dispatch", "n"), [(2**48, 0), (-1, 0), (0, 2**32), (0, -1)])
def test_numbers_that_do_not_fit_are_refused(dispatch: int, n: int) -> None:
    with pytest.raises(OverflowError):
        message_id(dispatch, n)
