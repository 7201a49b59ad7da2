"""`make demo`: from nothing to delivered messages that a second person approved; and again without sending twice."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from omni.environment import BASE_DIR

pytestmark = pytest.mark.xdist_group("demo")


def demonstrate(folder: Path, **variables: str) -> str:
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("OMNI_", "DJANGO_"))}
    given = {**outside, "OMNI_DATA_DIR": str(folder), "OMNI_DEMO_SERVE": "0", "OMNI_PORT": "0", "COLUMNS": "200", **variables}
    done = subprocess.run([sys.executable, "manage.py", "demo"], cwd=BASE_DIR, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def summary(shown: str) -> dict[str, int]:
    """The numbers of the summary, by the word beside them."""
    table = shown.split("\nspring-sale\n", 1)[1].split("sign in as")[0]
    rows = [re.fullmatch(r"\s*(?:considered|sent)?\s*([\d,]+)\s{2,}(.+?)\s*", line) for line in table.splitlines()]
    return {row.group(2): int(row.group(1).replace(",", "")) for row in rows if row}


def tells_the_story(shown: str) -> None:
    found = summary(shown)
    considered = found.pop("people in the segment")
    assert considered > 2_000
    assert found["messages in the outbox"] > 1_000
    assert sum(found.values()) == considered, "everybody who was considered is accounted for"
    for login in ("viewer", "author", "approver", "admin"):
        assert f"wayfare-{login}" in shown
    assert re.search(r"http://127\.0\.0\.1:\d+/console/", shown)


def twice(folder: Path, **variables: str) -> None:
    first = demonstrate(folder, **variables)
    tells_the_story(first)
    assert "messages/s" in first and "approved and released by approver" in first
    again = demonstrate(folder, **variables)
    tells_the_story(again)
    assert "nothing was sent twice" in again and "are here already" in again
    assert summary(again) == summary(first)


@pytest.mark.sqlite
def test_the_demonstration_sends_once_however_often_it_runs(tmp_path: Path) -> None:
    twice(tmp_path)


@pytest.mark.postgres
def test_the_demonstration_runs_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    twice(tmp_path, OMNI_DATABASE_URL=postgres_url, OMNI_BELL="postgres")


@pytest.mark.sqlite
@pytest.mark.parametrize(("variable", "value"), [("OMNI_ENV", "production"), ("OMNI_VENDOR", "routes")])
def test_the_demonstration_refuses_the_real_world(tmp_path: Path, variable: str, value: str) -> None:
    with pytest.raises(AssertionError, match="does not run with"):
        demonstrate(tmp_path, OMNI_SECRET_KEY="x" * 60, **{variable: value})
