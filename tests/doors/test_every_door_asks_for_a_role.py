"""Which role every address asks for, and by key which scope: the tables are what the product promises, the URLconf is what it has.

A new address fails here until somebody has said who may use it.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest
from django.db import transaction

from governance.door import SCOPES, Role
from tests.doors.street import METHODS, Door, World, ask, build, doors, key_for, locals_
from tests.doors.tables import API, CONSOLE

pytestmark = pytest.mark.django_db(transaction=True)
LACKS_ROLE = re.compile(r"needs (the role )?(author|approver|admin)\b")
LACKS_SCOPE = re.compile(r"needs the scope ([a-z:]+)")


def _attempt(world: World, door: Door, method: str, actor: Any, key: str) -> Any:
    """The answer; whatever it did is undone."""
    with transaction.atomic():
        answer = ask(door, method, door.address(world.values_of(door)), actor, key)
        transaction.set_rollback(True)
    assert answer.status_code < 500, f"{method} {door.route}"
    return answer


def _least(world: World, door: Door, method: str, people: dict[Role, Any], keys: dict[Role, str]) -> str:
    """The lowest role that isn't turned away for its role; "-" where the address has no such method."""
    turned_away = []
    for role in Role:
        answer = _attempt(world, door, method, people[role], keys[role])
        if answer.status_code == 405:
            return "-"
        if answer.status_code == 403 and LACKS_ROLE.search(answer.content.decode()):
            turned_away.append(role)
        elif turned_away == list(Role)[: len(turned_away)]:
            return role
    return "nobody"


def test_every_page_asks_for_the_role_that_it_promises(now: datetime) -> None:
    world, people = build(now), locals_(now)
    found = {}
    for door in doors():
        if door.area == "console":
            found[door.route] = tuple(_least(world, door, method, people, dict.fromkeys(Role, "")) for method in METHODS["console"])
    assert found == CONSOLE


def test_every_operation_asks_for_the_role_that_it_promises(now: datetime) -> None:
    world, people = build(now), locals_(now)
    keys = {role: key_for(actor, now) for role, actor in people.items()}
    found = {}
    for door, method in _operations():
        least = _least(world, door, method, people, keys)
        if least != "-":
            found[f"{method} {door.route}"] = least
    assert found == {name: role for name, (_, role) in API.items()}


def test_every_operation_asks_for_the_scope_that_it_promises(now: datetime) -> None:
    world, admin = build(now), locals_(now)[Role.ADMIN]
    none_of_these = key_for(admin, now, {"audit:read"})
    every = {scope: key_for(admin, now, set(SCOPES) - {scope}) for scope in SCOPES}
    found = {}
    for door, method in _operations():
        if f"{method} {door.route}" not in API:
            continue  # the test before this one has looked that it doesn't exist
        answer = _attempt(world, door, method, admin, none_of_these if door.route != "api/v1/audit" else every["audit:read"])
        asked = LACKS_SCOPE.search(answer.content.decode()) if answer.status_code == 403 else None
        found[f"{method} {door.route}"] = asked[1] if asked else ""
        if asked:
            without = _attempt(world, door, method, admin, every[asked[1]])
            assert without.status_code == 403, "a key with all scopes but this one"
    assert found == {name: scope for name, (scope, _) in API.items()}


def _operations() -> list[tuple[Door, str]]:
    return [(door, method) for door in doors() if door.area == "api" for method in METHODS["api"]]


def test_no_page_opens_without_signing_in_and_no_operation_without_a_key(client: Any) -> None:
    for door in doors():
        values = dict.fromkeys(door.names, 1)
        for method in METHODS[door.area]:
            answer = client.generic(method, door.address(values), b"", content_type="application/json")
            if door.area == "api":
                assert answer.status_code in {401, 405}, f"{method} {door.route}"
            else:
                assert answer.status_code in {302, 405}, f"{method} {door.route}"
                assert answer.status_code == 405 or answer.headers["Location"].startswith("/console/sign-in/"), f"{method} {door.route}"
