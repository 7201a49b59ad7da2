"""`kill -9` to consumers, and a database that goes away, while entries come in: nothing is lost, nothing is doubled, the last word holds.

The long version is `make prove P=R23`.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests import engines
from tests.crash.stream_life import life

pytestmark = [pytest.mark.postgres, pytest.mark.valkey]


def test_consumers_are_killed_at_any_moment_and_every_entry_is_recorded_once_or_a_dead_letter(
    postgres_url: str, valkey_url: str, tmp_path: Path
) -> None:
    found = life(postgres_url, engines.postgres(), valkey_url, tmp_path, entries=300, kills=5, chance=Random(1))
    assert found.faults == [], found.figures
    assert found.figures["kills"] == 5 and found.figures["left unread"] == 0
    assert found.figures["repeated"] > 20 and found.figures["dead letters"] > 20 and found.figures["events recorded"] > 100
