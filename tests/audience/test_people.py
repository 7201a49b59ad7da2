"""People are loaded in bulk, found however their address is written, and told apart by it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from pyroaring import BitMap64

from audience import door as audience
from governance import door as governance
from governance.door import Actor
from tests.tables import over

PEOPLE = [
    audience.ProfileRow("ann", email="Ann@Example.com", phone="+442079460958", country="GB", attributes={"stays": 1}),
    audience.ProfileRow("ben", email="ann@example.com", country="GB"),
    audience.ProfileRow("cid", email="cid@münchen.example", phone="+442079460958", country="DE"),
    audience.ProfileRow("dan"),
]


@pytest.fixture
def ids(workspace_id: int, now: datetime) -> dict[str, int]:
    audience.upsert(workspace_id, PEOPLE, source="test", now=now)
    return audience.ids_of(workspace_id, [row.external_id for row in PEOPLE] + ["nobody"])


def names(people: list[audience.Person]) -> list[str]:
    return [person.external_id for person in people]


def test_people_are_loaded_in_the_order_asked_for_in_one_query(
    ada: Actor, ids: dict[str, int], now: datetime, django_assert_num_queries: Any
) -> None:
    audience.erase(ada, "ben", now=now)
    with django_assert_num_queries(1):
        people = audience.load(ada.workspace_id, [ids["dan"], 2**40, ids["ben"], ids["ann"]])
    assert names(people) == ["dan", "ann"]
    assert people[1].attributes == {"stays": 1} and people[0].email is None
    assert names(audience.load(ada.workspace_id, BitMap64(ids.values()))) == ["ann", "cid", "dan"]
    assert audience.load(governance.create_workspace("other", "Other").pk, list(ids.values())) == []


def test_a_person_never_shows_an_address_by_accident(workspace_id: int, ids: dict[str, int]) -> None:
    assert "@" not in repr(audience.load(workspace_id, [ids["ann"]])[0])


@over(
    ("address", "who"),
    [
        ("ANN@example.com", "ann"),
        ("cid@MÜNCHEN.example", "cid"),
        ("cid@xn--mnchen-3ya.example", "cid"),
        ("+44 (20) 7946-0958", "ann"),
        ("nobody@example.com", None),
        ("nonsense", None),
        ("", None),
        ("\0@example.com", None),
    ],
)
def test_an_address_finds_the_first_person_who_has_it(workspace_id: int, ids: dict[str, int], address: str, who: str | None) -> None:
    found = audience.find(workspace_id, address=address)
    assert (found.external_id if found else None) == who


def test_everybody_but_the_first_of_an_address_is_a_repeat(workspace_id: int, ids: dict[str, int]) -> None:
    def repeats(channel: str, *who: str) -> set[str]:
        again = audience.same_address(workspace_id, BitMap64(ids[name] for name in who), channel=channel)
        return {name for name, number in ids.items() if number in again}

    assert repeats("email", "ann", "ben", "cid", "dan") == {"ben"}
    assert repeats("sms", "ann", "ben", "cid", "dan") == {"cid"}
    assert repeats("email", "ben", "cid") == set(), "only the people at hand count"


def test_people_are_counted_by_country(workspace_id: int, ids: dict[str, int]) -> None:
    assert audience.countries(workspace_id, BitMap64(ids.values())) == {"GB": 2, "DE": 1, "": 1}
    assert audience.countries(workspace_id, BitMap64([ids["ann"], ids["dan"]])) == {"GB": 1, "": 1}
    assert audience.everyone(workspace_id) == 4


def test_search_goes_on_behind_the_last_one_seen(workspace_id: int, ids: dict[str, int]) -> None:
    assert names(audience.search(workspace_id, "", limit=3)) == ["ann", "ben", "cid"]
    assert names(audience.search(workspace_id, "", after=ids["cid"])) == ["dan"]
    assert names(audience.search(workspace_id, "ann@EXAMPLE")) == ["ann", "ben"]
    assert names(audience.search(workspace_id, "+44 20")) == ["ann", "cid"]
