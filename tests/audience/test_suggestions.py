"""What a field of the rule builder suggests: what people have, for those who may see it, quickly and as it was given."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils.http import urlencode

from audience import door as audience
from audience import spread, sql, suggestions
from governance import door as governance
from governance.door import User
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    suggestions.forget()
    yield
    suggestions.forget()


@pytest.fixture
def crowd(db: None, now: datetime) -> None:
    """Four people with a tier, some with interests, an illness and purchases."""
    for name, body in {
        "tier": {"title": "Tier"},
        "interests": {"title": "Interests", "type": "list"},
        "stays": {"title": "Stays", "type": "number", "unit": "nights"},
        "illness": {"title": "Illness", "sensitivity": "sensitive"},
        "health": {"title": "Health", "type": "object", "fields": [{"name": "note", "type": "text"}], "sensitivity": "sensitive"},
        "vip": {"title": "VIP", "type": "boolean"},
    }.items():
        factories.put("attribute", name, factories.attribute(**body), now=now)
    factories.profile(now=now, external_id="a", attributes={"tier": "Gold", "stays": 7, "interests": ["Città", "beach"], "illness": "gout"})
    factories.profile(
        now=now, external_id="b", attributes={"tier": "gold", "stays": 1, "interests": ["beach"], "health": {"note": "measles"}}
    )
    factories.profile(now=now, external_id="c", attributes={"tier": "Golden Eagle", "stays": 40})
    factories.profile(now=now, external_id="d", attributes={"tier": "silver", "vip": True})


def asked(who: str, of: str, typed: str = "", *, now: datetime, status: int = 200, **more: str) -> dict[str, Any]:
    factories.person(who, now=now)
    client = Client()
    client.force_login(User.objects.get(username=who))
    answer = client.get(f"/console/look/values/?{urlencode({'of': of, 'q': typed, **more})}")
    assert answer.status_code == status, answer.content[:500]
    if status != 200:
        return {"words": answer.content.decode()}
    assert answer["Content-Type"] == "application/json"
    found: dict[str, Any] = json.loads(answer.content)
    return found


def values(answer: dict[str, Any]) -> list[tuple[str, int | None]]:
    return [(item["value"], item["people"]) for item in answer["items"]]


def test_the_values_that_people_have_are_suggested_the_most_frequent_first(crowd: None, now: datetime) -> None:
    assert values(asked("vera", "attribute:tier", now=now)) == [("Gold", 2), ("Golden Eagle", 1), ("silver", 1)]
    assert values(asked("vera", "attribute:tier", "GOLD", now=now)) == [("Gold", 2), ("Golden Eagle", 1)]
    assert values(asked("vera", "attribute:tier", "eag", now=now)) == [("Golden Eagle", 1)]
    assert values(asked("vera", "attribute:interests", "CITTA\u0300", now=now)) == [("Città", 1)]
    assert values(asked("vera", "attribute:tier", "bronze", now=now)) == []


def test_a_number_tells_from_where_to_where_it_goes(crowd: None, now: datetime) -> None:
    assert asked("vera", "attribute:stays", now=now) == {"items": [], "told": "From 1 to 40, median 7."}


def test_sensitive_values_are_for_admins_only_and_so_are_those_of_their_parts(crowd: None, now: datetime) -> None:
    for of, value in (("attribute:illness", "gout"), ("attribute:health.note", "measles")):
        for who in ("vera", "ada", "ben"):
            assert "shown to admins only" in (refused := asked(who, of, now=now, status=403)["words"])
            assert value not in refused
        assert values(asked("cleo", of, now=now)) == [(value, 1)]
        assert value not in asked("vera", of, now=now, status=403)["words"], (
            "what an admin was told is remembered, and still not for others"
        )


@pytest.mark.parametrize(
    "of", ["attribute:shoe_size", "profile:email", "profile:phone", "profile:attributes", "attribute:vip", "", "x:" * 400]
)
def test_what_has_no_values_to_suggest_is_not_found(crowd: None, of: str, now: datetime) -> None:
    asked("cleo", of, now=now, status=404)


def test_countries_languages_and_zones_have_names(now: datetime) -> None:
    assert values(asked("vera", "profile:country", "germ", now=now)) == [("DE", None)]
    assert asked("vera", "profile:country", "de", now=now)["items"][0]["label"].startswith(("Denmark", "Germany"))
    assert {"value": "DE", "label": "Germany (DE)", "people": None} in asked("vera", "profile:country", "DE", now=now)["items"]
    assert ("pt-BR", None) in values(asked("vera", "profile:locale", "brazil", now=now))
    assert values(asked("vera", "profile:zone", "lisb", now=now)) == [("Europe/Lisbon", None)]


def test_events_their_properties_and_the_values_of_these_are_suggested(crowd: None, now: datetime) -> None:
    events = [
        audience.NewEvent(
            "1", "paid", "a", now - timedelta(hours=1), {"plan": "Pro", "total": 5, "code": "007", "mail": "ann@example.com"}
        ),
        audience.NewEvent("2", "paid", "b", now - timedelta(hours=2), {"plan": "Pro"}),
        audience.NewEvent("3", "parked", "b", now - timedelta(hours=3), {"plan": "Basic", "gift": True}),
    ]
    audience.record(factories.workspace().pk, events, now=now)
    factories.put("event_type", "paid", {"title": "An order was settled", "name": "paid"}, now=now)
    assert values(asked("vera", "event", "pa", now=now)) == [("paid", None), ("parked", None)]
    suggestions.forget()
    (settled,) = asked("vera", "event", "settled", now=now)["items"]
    assert (settled["value"], settled["label"]) == ("paid", "An order was settled (paid)")
    assert values(asked("vera", "property", event="paid", now=now))[0] == ("plan", None)
    assert values(asked("ada", "property-value", event="paid", property="plan", now=now)) == [("Pro", None)]
    assert values(asked("ada", "property-value", event="paid", property="code", now=now)) == [('"007"', None)], "a text, not a number"
    assert values(asked("ada", "property-value", event="parked", property="gift", now=now)) == [("true", None)]
    assert values(asked("ada", "property-value", event="paid", property="mail", now=now)) == [], "addresses are never suggested"
    assert "authors and above" in asked("vera", "property-value", event="paid", property="plan", now=now, status=403)["words"]
    assert values(asked("vera", "property", event="nothing of the sort", now=now)) == []


def test_an_address_or_a_letter_that_stands_in_an_attribute_is_not_suggested(crowd: None, now: datetime) -> None:
    for place, text in enumerate(("ann@example.com", "+49 151 1234567", "x" * 201)):
        factories.profile(now=now, external_id=f"odd-{place}", attributes={"tier": text})
    assert values(asked("cleo", "attribute:tier", now=now)) == [("Gold", 2), ("Golden Eagle", 1), ("silver", 1)]


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "100%_\\", "' OR 1=1 --", '"quoted"', "日本"])
def test_any_text_comes_back_as_it_is_and_finds_only_itself(crowd: None, text: str, now: datetime) -> None:
    factories.profile(now=now, external_id="odd", attributes={"tier": text})
    assert values(asked("vera", "attribute:tier", text, now=now)) == [(text, 1)]
    assert values(asked("vera", "attribute:tier", text[:2], now=now)) == [(text, 1)]


def test_other_workspaces_values_stay_theirs(crowd: None, now: datetime) -> None:
    elsewhere = governance.create_workspace("elsewhere", "Elsewhere")
    row = audience.ProfileRow(external_id="x", attributes={"tier": "Goldfinger"})
    audience.upsert(elsewhere.pk, [row], source="tests", now=now)
    assert "Goldfinger" not in str(asked("vera", "attribute:tier", "gold", now=now))


def test_only_some_people_are_looked_at_however_many_there_are(crowd: None, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "SOME", 80)
    for number in range(0, 200, 50):
        factories.profiles(50, now=now, domain=f"d{number}.example", attributes={"tier": f"Tier {number}"})
    answer = asked("vera", "attribute:tier", now=now)
    assert sum(people or 0 for _, people in values(answer)) <= 80
    assert {f"Tier {number}" for number in range(0, 200, 50)} <= {value for value, _ in values(answer)}, "they are spread over all"
    assert answer["told"].startswith("Counted among ")


def test_what_is_too_rare_to_be_remembered_is_found_by_how_it_begins(crowd: None, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggestions, "KEPT", 2)
    assert values(asked("vera", "attribute:tier", now=now)) == [("Gold", 2), ("Golden Eagle", 1)]
    assert values(asked("vera", "attribute:tier", "Sil", now=now)) == [("silver", 1)]


def test_values_are_remembered_for_a_minute(crowd: None, now: datetime) -> None:
    known = audience.catalogue(factories.workspace().pk)

    def tiers(moment: datetime) -> list[str]:
        return [one.value for one in suggestions.suggest_value(factories.workspace().pk, known, "attribute:tier", "", now=moment).items]

    before = tiers(now)
    factories.profile(now=now, external_id="new", attributes={"tier": "Platinum"})
    assert tiers(now + timedelta(seconds=59)) == before
    assert "Platinum" in tiers(now + timedelta(seconds=61))


@pytest.mark.postgres
def test_a_look_that_takes_too_long_is_broken_off_and_nothing_is_suggested(
    crowd: None, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggestions, "everybody_or_some", lambda workspace_id: sql.rows("SELECT pg_sleep(5)"))
    monkeypatch.setattr(suggestions, "TIME", 50)
    assert asked("vera", "attribute:tier", now=now) == {"items": [], "told": ""}
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone()[0] == "0"
