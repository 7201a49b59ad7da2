"""Whoever belongs to another workspace finds nothing of this one, at any address, in any role, by browser or by key.

The addresses come from the URLconf: a new one is swept without being listed, and one with a new kind of thing in it fails until
`street.build` makes such a thing.
"""

from __future__ import annotations

from datetime import datetime

import pytest

from governance.door import Role
from tests import factories as make
from tests.doors.street import CANARIES, METHODS, ask, build, doors, everything_of, key_for, locals_, strangers

pytestmark = pytest.mark.django_db(transaction=True)
SAYS_SO_ITSELF = {  # answers 2xx without what it was asked about
    "GET api/v1/campaigns/<slug:key>/runs",  # an empty list
    "GET console/campaigns/<slug:key>/estimate/",  # a part of a page: "no campaign of that key"
    "POST console/campaigns/<slug:key>/estimate/",
    "POST console/templates/<slug:key>/test/",
    "GET console/messages/of/<int:profile_id>/",  # no messages
    "POST console/messages/of/<int:profile_id>/",
    "GET console/look/messages/<str:token>/chain/",  # a part of a page: no chain
    "POST console/look/messages/<str:token>/chain/",
}


def test_every_address_leads_its_own_people_somewhere(now: datetime) -> None:
    world, admin = build(now), locals_(now)[Role.ADMIN]
    key, astray = key_for(admin, now), set()
    for door in doors():
        answer = ask(door, "GET", door.address(world.values_of(door)), admin, key)
        if door.names and answer.status_code not in {200, 405}:
            astray.add((door.route, answer.status_code))
    onward = {("console/<slug:plural>/<slug:key>/submit/", 302), ("console/runs/of/<int:dispatch_id>/", 302)}
    assert astray == onward, "the sweep below would prove nothing there"


@pytest.mark.parametrize("role", [Role.ADMIN, Role.VIEWER])  # whom every door lets as far as the objects, and whom none does
def test_nobody_from_elsewhere_sees_or_changes_anything(now: datetime, role: Role) -> None:
    world, stranger = build(now), strangers(now)[role]
    home = make.workspace().pk
    key, before, opened = key_for(stranger, now), everything_of(home), set()
    for door in doors():
        for method in METHODS[door.area]:
            answer = ask(door, method, door.address(world.values_of(door)), stranger, key)
            said = answer.content.decode(errors="replace").casefold()
            assert answer.status_code < 500, f"{method} {door.route}"
            assert not any(word in said for word in CANARIES), f"{method} {door.route} tells {role} from elsewhere"
            if set(door.names) - {"plural"} and answer.status_code < 300:
                opened.add(f"{method} {door.route}")
    after = everything_of(home)
    assert opened <= SAYS_SO_ITSELF
    assert [label for label in before if before[label] != after[label]] == []
