"""`make demo`: from nothing to delivered messages that a second person approved; and again without sending twice."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests import demonstration
from tests.demonstration import demonstrate

pytestmark = pytest.mark.xdist_group("demo")


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


def again(folder: Path, first: str, **variables: str) -> None:
    """What the first demonstration showed, and a second one in the same folder."""
    tells_the_story(first)
    assert "messages/s" in first and "approved and released by approver" in first
    second = demonstrate(folder, **variables)
    tells_the_story(second)
    assert "nothing was sent twice" in second and "are here already" in second
    assert summary(second) == summary(first)


@pytest.mark.sqlite
def test_the_demonstration_sends_once_however_often_it_runs(tmp_path: Path) -> None:
    shutil.copytree(demonstration.made(), tmp_path, dirs_exist_ok=True)
    again(tmp_path, (tmp_path / demonstration.SAID).read_text())


@pytest.mark.postgres
def test_the_demonstration_runs_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    ours = {"OMNI_DATABASE_URL": postgres_url, "OMNI_BELL": "postgres"}
    again(tmp_path, demonstrate(tmp_path, **ours), **ours)


@pytest.mark.sqlite
@pytest.mark.parametrize(("variable", "value"), [("OMNI_ENV", "production"), ("OMNI_VENDOR", "routes")])
def test_the_demonstration_refuses_the_real_world(tmp_path: Path, variable: str, value: str) -> None:
    with pytest.raises(AssertionError, match="does not run with"):
        demonstrate(tmp_path, OMNI_SECRET_KEY="x" * 60, **{variable: value})
