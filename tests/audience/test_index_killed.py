"""`kill -9` to feeders and rebuilds while people change: started again, they end with the index that the database calls for.

The long version is `make prove P=R22`.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.crash.index_life import life

pytestmark = [pytest.mark.postgres, pytest.mark.elasticsearch]


def test_killed_at_any_moment_and_started_again_the_index_is_what_the_database_says(
    postgres_url: str, elasticsearch_url: str, tmp_path: Path
) -> None:
    found = life(postgres_url, elasticsearch_url, tmp_path, people=1_000, kills=3, chance=Random(5))
    assert found.faults == [], found.figures
    assert found.figures["changed"] > 100 and found.figures["erased"] > 3
