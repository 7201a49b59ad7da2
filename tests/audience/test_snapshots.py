"""Sets of people come back from storage as they were, and chance is fair and repeatable."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap64

from audience.bitmaps import draw, pack, unpack

ids = st.sets(st.one_of(st.integers(1, 2**20), st.integers(1, 2**53)), max_size=200).map(BitMap64)


@given(ids)
def test_a_packed_set_comes_back_as_it_was(people: BitMap64) -> None:
    assert unpack(pack(people)) == people
    assert unpack(memoryview(pack(people))) == people  # as PostgreSQL's driver hands it over


@given(ids, st.integers(0, 300), st.integers(0, 2**63))
def test_a_draw_is_a_part_of_the_set_without_repeats(people: BitMap64, many: int, salt: int) -> None:
    drawn = draw(people, many, salt)
    assert len(drawn) == len(set(drawn)) == min(many, len(people)) and set(drawn) <= set(people)
    assert drawn == draw(people, many, salt)


@given(ids.filter(bool), st.integers(0, 2**63))
def test_somebody_who_leaves_moves_nobody_else_in_the_draw(people: BitMap64, salt: int) -> None:
    whole = draw(people, len(people), salt)
    gone = whole[len(whole) // 2]
    assert draw(people - BitMap64([gone]), len(people), salt) == [one for one in whole if one != gone]


def test_a_draw_is_spread_over_the_whole_set() -> None:
    drawn = draw(BitMap64(range(1, 10_001)), 1_000, salt=1)
    assert all(60 < sum(start < one <= start + 1_000 for one in drawn) < 150 for start in range(0, 10_000, 1_000))
