"""Segments asked by programs: how many, who, why, and what they share."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests import factories
from tests.audience.conftest import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(api: Api, now: datetime) -> list[str]:
    names = [f"p{n}" for n in range(5)]
    for n, name in enumerate(names):
        factories.profile(now=now, external_id=name, country="DE" if n < 3 else "FR", zone="Europe/Rome" if n % 2 else "Europe/Berlin")
    for key, rule in {
        "germans": {"profile": "country", "op": "is", "value": "DE"},
        "berliners": {"profile": "zone", "op": "is", "value": "Europe/Berlin"},
    }.items():
        factories.in_force("segment", key, factories.segment(title=key, rule=rule), now=now)
    factories.put("segment", "drafted", factories.segment(), now=now)
    return names


def test_a_segment_is_counted_and_listed_page_by_page(api: Api, people: list[str]) -> None:
    assert api.call("GET", "segments/germans/count")[1]["count"] == 3
    found, cursor = [], ""
    while True:
        status, answer = api.call("GET", f"segments/germans/people?limit=2&cursor={cursor}")
        assert status == 200 and answer["count"] == 3 and answer["engine"] == "database"
        found.append(answer["items"])
        if answer["next"] is None:
            break
        cursor = answer["next"]
    assert found == [["p0", "p1"], ["p2"]]


def test_why_somebody_is_in_it_or_not_is_told_as_a_tree(api: Api, people: list[str]) -> None:
    status, told = api.call("GET", "segments/germans/explain/p4")
    assert (status, told["matched"], told["decided"], told["node"], told["path"]) == (200, False, True, "profile", "/rule")
    assert told["sentence"] == "whose country is “DE”"
    assert api.call("GET", "segments/germans/explain/nobody")[0] == 404


def test_what_segments_share(api: Api, people: list[str]) -> None:
    status, answer = api.call("GET", "segments/overlap?of=germans&of=berliners")
    assert (status, answer["counts"]) == (200, [[3, 2], [2, 3]])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("segments/nobody/count", 404),
        ("segments/drafted/count", 404),
        ("segments/drafted/people", 404),
        ("segments/germans/people?limit=0", 422),
        ("segments/germans/people?limit=1001", 422),
        ("segments/germans/people?cursor=x", 422),
        ("segments/germans/people?cursor=99999999999999999999", 422),
        ("segments/overlap?of=germans", 422),
        ("segments/overlap?of=germans&of=germans", 422),
        ("segments/overlap?of=germans&of=nobody", 404),
    ],
)
def test_what_can_not_be_asked_is_refused(api: Api, people: list[str], path: str, status: int) -> None:
    assert api.call("GET", path)[0] == status
