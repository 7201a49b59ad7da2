"""Whatever stands in the question, an operation's answer is never our fault."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from governance.door import Role
from tests.doors.street import Door, build, doors, key_for, locals_

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]  # the stricter of the two about what a text may hold
NASTY = ("\0", "a\0b", "9" * 30, "-1", "😀" * 40, "٣", "%00", "' OR 1=1 --", "a" * 4_000, "")
ASKED = ("limit", "cursor", "search", "state", "subject", "action", "before", "after", "of", "kind", "key", "q")


def test_no_question_breaks_an_operation(now: datetime) -> None:
    world, admin = build(now), locals_(now)[Role.ADMIN]
    client = Client(headers={"Authorization": f"Bearer {key_for(admin, now)}"}, raise_request_exception=False)
    asked = 0
    for door, described in _questions():
        asked += len(described)
        for names in [*([name] for name in described), [name for name in ASKED if name not in described]]:
            for value in NASTY:
                answer = client.get(door.address(world.values_of(door)), dict.fromkeys(names, value))
                assert answer.status_code < 500, (door.route, names, value[:10])
    assert asked > 30, "the API's description says which questions there are"


def _questions() -> Iterator[tuple[Door, list[str]]]:
    """Every operation that answers GET, with the names that its question may hold: what the API's own description lists."""
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    for door in (each for each in doors() if each.area == "api"):
        described = paths.get("/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", door.route), {}).get("get", {})
        yield door, [each["name"] for each in described.get("parameters", []) if each["in"] == "query"]
