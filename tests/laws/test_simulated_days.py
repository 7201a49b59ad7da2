"""Forty days of the whole street, each drawn from its seed, with something going wrong at any statement.

A day that breaks a law prints its seed and its story. OMNI_LAW_SEEDS="4711" tells that day again, "0-9999" is a night's worth
(`make simulate`, whose days are three times as long). What a broken day teaches becomes a test of its own beside the code that was wrong.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator

import pytest

from tests.simulation.day import Day
from tests.simulation.town import SECRETS, Town

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]
ACTS, AT_ONCE = int(os.environ.get("OMNI_LAW_ACTS", "20")), 20


def _seeds() -> range:
    first, _, last = os.environ.get("OMNI_LAW_SEEDS", "0-39").partition("-")
    return range(int(first), int(last or first) + 1)


def _blocks() -> list[range]:
    seeds = _seeds()
    return [seeds[start : start + AT_ONCE] for start in range(0, len(seeds), AT_ONCE)]


_town = functools.cache(Town)  # built once per process: every day begins with putting it back


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    made = _town()
    for name, value in {**SECRETS, "SENDGRID_HOOK": made.hooks.public_key()}.items():
        monkeypatch.setenv(f"OMNI_SECRET_{name}", value)
    yield made


@pytest.mark.parametrize("seeds", _blocks(), ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_no_day_breaks_a_law(town: Town, seeds: range) -> None:
    accepted = 0
    for seed in seeds:
        day = Day(town, seed, acts=ACTS)
        day.live()
        accepted += len(day.vendors.accepted)
    assert accepted >= 2 * len(seeds) or len(seeds) < AT_ONCE  # where nothing leaves, no law of sending is tried


def test_the_same_seed_tells_the_same_day(town: Town) -> None:
    assert Day(town, 7, acts=ACTS).live() == Day(town, 7, acts=ACTS).live()
