"""The same person always falls on the same side, and the sides have the promised sizes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap64

from optimization import door as optimization

PEOPLE = np.arange(1, 100_001, dtype=np.uint64)


def test_a_split_is_spread_evenly_over_a_hundred_thousand_people() -> None:
    counts, _ = np.histogram(optimization.split("holdout", "spring-sale", PEOPLE), bins=20, range=(0, 1))
    assert abs(counts - 5_000).max() < 350  # five standard deviations of a fair split


def test_two_campaigns_hold_out_independent_people() -> None:
    spring, summer = (optimization.hold_out(BitMap64(PEOPLE), share=0.1, salt=salt) for salt in ("spring", "summer"))
    assert 9_500 < len(spring) < 10_500
    assert 800 < len(spring & summer) < 1_200


@given(st.lists(st.integers(1, 2**62), min_size=1, max_size=200, unique=True), st.integers(0, 199))
def test_a_person_keeps_their_variant_whoever_else_is_in_the_batch(ids: list[int], place: int) -> None:
    arms = [optimization.Arm("a", 1), optimization.Arm("b", 2), optimization.Arm("c", 1)]
    one = ids[place % len(ids)]
    assert optimization.choose("salt", arms, ids)[ids.index(one)] == optimization.choose("salt", arms, [one])[0]


def test_weights_decide_the_shares() -> None:
    arms = [optimization.Arm("a", 1), optimization.Arm("b", 3)]
    chosen = optimization.choose("salt", arms, [int(person) for person in PEOPLE])
    assert 0.74 < sum(chosen) / len(chosen) < 0.76


def test_a_split_does_not_change_between_releases_of_the_code() -> None:
    """Changing these figures would move people between arms of running experiments."""
    known = optimization.split("variants", "spring-sale", np.array([1, 2, 3, 10**12], dtype=np.uint64))
    assert [round(float(place), 6) for place in known] == KNOWN


KNOWN = [0.728475, 0.004742, 0.423086, 0.168534]


def test_ranking_prefers_priority_and_never_depends_on_order() -> None:
    first, second, third = optimization.Candidate("b", 50), optimization.Candidate("a", 50), optimization.Candidate("z", 90)
    assert optimization.rank([first, second, third]) == optimization.rank([third, first, second]) == [third, second, first]
