"""Whatever stands in the question or in the address, an operation's answer is never our fault."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client

from governance.door import Role
from tests.doors.street import build, doors, key_for, locals_

pytestmark = pytest.mark.django_db(transaction=True)
NASTY = ("\0", "a\0b", "9" * 30, "-1", "😀" * 40, "٣", "%00", "' OR 1=1 --", "a" * 4_000, "")
ASKED = ("limit", "cursor", "search", "state", "subject", "action", "before", "after", "of", "kind", "key", "q")


def test_no_question_breaks_an_operation(now: datetime) -> None:
    world, admin = build(now), locals_(now)[Role.ADMIN]
    client = Client(headers={"Authorization": f"Bearer {key_for(admin, now)}"}, raise_request_exception=False)
    for door in doors():
        if door.area == "api":
            for name in ASKED:
                for value in NASTY:
                    answer = client.get(door.address(world.values_of(door)), {name: value})
                    assert answer.status_code < 500, (door.route, name, value[:10])
