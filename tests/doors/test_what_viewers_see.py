"""A viewer looks at everything and sees nobody's address and nothing personal, on no page and in no answer; neither does a viewer's key."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client

from audience import door as audience
from governance.door import Role, User
from tests import factories as make
from tests.doors.street import METHODS, ask, build, doors, key_for, locals_

pytestmark = pytest.mark.django_db(transaction=True)
PERSONAL = ("zqxw-canary@example.com", "+4915112345678", "4915112345678", "qyzzy")


def test_no_page_and_no_answer_tells_a_viewer_an_address_or_what_is_personal(now: datetime) -> None:
    world = build(now)
    home = make.workspace().pk
    audience.upsert(home, [audience.ProfileRow("person-one", attributes={"first_name": "Qyzzy"})], source="tests", now=now)
    spoken = {"guest": "Qyzzy", "to": "zqxw-canary@example.com"}
    audience.record(home, [audience.NewEvent("booked-1", "booked", "person-one", now, spoken)], now=now)
    told: dict[Role, set[str]] = {}
    actors = locals_(now)
    for role in (Role.VIEWER, Role.ADMIN):
        key, told[role] = key_for(actors[role], now), set()
        for door in doors():
            for method in {"GET"} & set(METHODS[door.area]):
                answer = ask(door, method, door.address(world.values_of(door)), actors[role], key)
                said = answer.content.decode(errors="replace").casefold()
                if any(word in said for word in PERSONAL):
                    told[role].add(f"{method} {door.route}")
    assert told[Role.VIEWER] == set()
    assert len(told[Role.ADMIN]) >= 8, "whoever looked for nothing would find nothing"


def test_who_sees_no_addresses_finds_by_a_whole_one_only(now: datetime) -> None:
    ann = make.profile(now=now, external_id="ann", email="ann@example.com", phone="+442079460958")
    vera, ada = make.person("vera", now=now), make.person("ada", now=now)
    for text, found in (("ann@ex", []), ("ANN@example.com", [ann]), ("+44 20 7946 0958", [ann]), ("an", []), ("ann", [ann]), ("", [ann])):
        assert [person.id for person in audience.search_as(vera, text)] == found, text
    assert [person.email for person in audience.search_as(vera, "ann")] == ["a…@example.com"]
    assert [person.phone for person in audience.search_as(vera, "ann")] == ["+44…58"]
    assert [person.email for person in audience.search_as(ada, "an")] == ["ann@example.com"]


def test_what_somebody_would_get_is_told_without_their_name(now: datetime) -> None:
    make.in_force("attribute", "first_name", make.attribute(title="First name", sensitivity="personal"), now=now)
    ann = make.profile(now=now, external_id="ann", attributes={"first_name": "Qyzzy"})
    make.spring_sale(now=now)
    told = {}
    for name in ("vera", "ada"):
        make.person(name, now=now)
        client = Client()
        client.force_login(User.objects.get(username=name))
        told[name] = client.get(f"/console/look/people/{ann}/").content.decode()
    assert "Hello Qyzzy" in told["ada"] and "Qyzzy" not in told["vera"] and "Hello friend" in told["vera"]
