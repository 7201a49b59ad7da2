from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from governance import kinds
from governance.door import Role, default_workspace
from tests.governance.office import AUDIENCE, PAGE, PLAN, Office


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The office's own kinds, for these tests only."""
    for kind in (PAGE, PLAN):
        monkeypatch.setitem(kinds._KINDS, kind.name, kind)
    AUDIENCE.clear()
    yield


@pytest.fixture
def office(db: None, now: datetime) -> Office:
    """Vera looks, Ada and Abe write, Ben and Bea approve, Leo approves with legal, Cleo administers."""
    return staff(now)


@pytest.fixture
def open_office(transactional_db: None, now: datetime) -> Office:
    """The same office for tests whose threads must see each other's commits."""
    return staff(now)


def staff(now: datetime) -> Office:
    office = Office(default_workspace().pk, now)
    office.hire("vera", Role.VIEWER)
    for author in ("ada", "abe"):
        office.hire(author, Role.AUTHOR)
    for approver in ("ben", "bea"):
        office.hire(approver, Role.APPROVER)
    office.hire("leo", Role.APPROVER, legal=True)
    office.hire("cleo", Role.ADMIN)
    return office
