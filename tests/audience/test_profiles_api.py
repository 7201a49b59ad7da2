"""Profiles by HTTP: many at once, one by one, what they agreed to, and forgetting them."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from audience import door as audience
from audience.models import ProfileFeed, Subscription
from governance import door as governance
from governance.door import Actor
from tests.audience.conftest import Api, api_of, fill_catalogue
from tests.tables import over

ADA = {
    "external_id": "u-1",
    "email": "Ada@Example.com",
    "phone": "+44 20 7946 0958",
    "locale": "en_GB",
    "country": "gb",
    "zone": "Europe/London",
    "attributes": {
        "first_name": "Ada",
        "stays": 3,
        "vip": True,
        "birthday": "1990-12-10",
        "seen": "2026-02-01T10:00:00+01:00",
        "interests": ["Art"],
    },
}


def paths(problem: Any) -> list[str]:
    return [finding["path"] for finding in problem["findings"]]


def test_a_person_is_created_and_read_back_in_canonical_form(api: Api) -> None:
    status, answer = api.call("POST", "profiles", {"profiles": [ADA]})
    assert (status, answer) == (200, {"created": 1, "updated": 0, "unchanged": 0, "consents": 0, "rejected": []})
    status, person = api.call("GET", "profiles/u-1")
    assert status == 200
    assert {name: person[name] for name in ("email", "phone", "locale", "country", "zone")} == {
        "email": "Ada@example.com",
        "phone": "+442079460958",
        "locale": "en-GB",
        "country": "GB",
        "zone": "Europe/London",
    }
    assert person["attributes"] == {**ADA["attributes"], "seen": "2026-02-01T09:00:00.000000Z"}  # type: ignore[dict-item]


def test_the_same_request_again_changes_nothing(api: Api) -> None:
    api.call("POST", "profiles", {"profiles": [ADA]})
    assert api.call("POST", "profiles", {"profiles": [ADA]})[1]["unchanged"] == 1
    assert ProfileFeed.objects.count() == 1


def test_what_is_left_out_stays_and_null_removes(api: Api) -> None:
    api.call("POST", "profiles", {"profiles": [ADA]})
    change = {"external_id": "u-1", "phone": None, "attributes": {"stays": 4, "vip": None}}
    assert api.call("POST", "profiles", {"profiles": [change]})[1]["updated"] == 1
    person = api.call("GET", "profiles/u-1")[1]
    assert (person["email"], person["phone"]) == ("Ada@example.com", None)
    assert person["attributes"]["stays"] == 4 and "vip" not in person["attributes"] and person["attributes"]["first_name"] == "Ada"


def test_whoever_is_wrong_is_named_and_harms_nobody_else(api: Api) -> None:
    given = [
        {"external_id": "a"},
        {"external_id": "b", "email": "a@b,c@d", "attributes": {"unheard": 1, "stays": "3"}},
        {"external_id": "c", "surname": "x"},
        "nobody",
        {"external_id": "e", "attributes": {"stays": 1}},
    ]
    status, answer = api.call("POST", "profiles", {"profiles": given})
    assert (status, answer["created"], [row["place"] for row in answer["rejected"]]) == (200, 2, [1, 2, 3])
    assert [finding["path"] for row in answer["rejected"] for finding in row["findings"]] == [
        "/profiles/1/email",
        "/profiles/1/attributes/unheard",
        "/profiles/1/attributes/stays",
        "/profiles/2/surname",
        "/profiles/3",
    ]
    assert "a@b" not in str(answer)


@over(
    ("body", "path"),
    [
        ({"profiles": [{"external_id": "a", "zone": "+05:30"}]}, "/profiles/0/zone"),
        ({"profiles": [{"external_id": ""}]}, "/profiles/0/external_id"),
        ({"profiles": [{"external_id": "erased-7"}]}, "/profiles/0/external_id"),
        ({"profiles": [{"external_id": 7}]}, "/profiles/0/external_id"),
        ({"profiles": [{"external_id": "a", "attributes": {"city": "x" * 40_000}}]}, "/profiles/0/attributes/city"),
        ({"profiles": [{"external_id": "a", "attributes": {f"k{n}": 1 for n in range(300)}}]}, "/profiles/0/attributes"),
        ({"profiles": [{"external_id": "a", "consents": [{"channel": "email", "topic": "offers", "state": "subscribed"}]}]}, "/source"),
        ({"profiles": []}, "/profiles"),
        ({"profiles": [{"external_id": str(n)} for n in range(1_001)]}, "/profiles"),
        ({}, "/profiles"),
        ([], ""),
    ],
)
def test_a_request_in_which_nobody_is_right_is_refused_with_every_place(api: Api, body: Any, path: str) -> None:
    status, problem = api.call("POST", "profiles", body)
    assert status == 422
    assert path in paths(problem)


def test_people_are_searched_by_the_start_of_id_address_or_number_and_listed_in_pages(api: Api) -> None:
    people = [{"external_id": f"u-{n}", "email": f"person{n}@example.com", "phone": f"+1201555{n:04}"} for n in range(100, 103)]
    api.call("POST", "profiles", {"profiles": people})

    def found(query: str) -> list[str]:
        return [person["external_id"] for person in api.call("GET", f"profiles?{query}")[1]["items"]]

    assert found("search=u-10") == found("search=PERSON") == found("search=%2B1%20201%20555") == ["u-100", "u-101", "u-102"]
    assert found("search=person101@example.com") == found("search=u-101") == ["u-101"]
    assert found("search=%25") == found("search=_-1") == []
    assert api.call("GET", "profiles?search=nul%00")[0] in {400, 422}
    first = api.call("GET", "profiles?limit=2")[1]
    second = api.call("GET", f"profiles?limit=2&cursor={first['next']}")[1]
    assert [person["external_id"] for person in first["items"] + second["items"]] == ["u-100", "u-101", "u-102"] and second["next"] is None


def test_consent_is_recorded_with_its_proof_and_repeats_add_none(api: Api) -> None:
    api.call("POST", "profiles", {"profiles": [{"external_id": "crm/7"}]})
    yes = {"channel": "email", "topic": "offers", "state": "subscribed", "source": "sign-up form", "wording": "Yes, send me offers."}
    assert api.call("PUT", "profiles/crm/7/consents", yes)[0] == 200
    api.call("PUT", "profiles/crm/7/consents", yes)
    status, now = api.call("PUT", "profiles/crm/7/consents", {**yes, "state": "unsubscribed", "source": "preference page", "wording": ""})
    assert [(one["topic"], one["state"]) for one in now["items"]] == [("offers", "unsubscribed")]
    history = api.call("GET", "profiles/crm/7/consents/history")[1]["items"]
    assert [(one["state"], one["source"]) for one in history] == [("unsubscribed", "preference page"), ("subscribed", "sign-up form")]
    assert api.call("GET", "profiles/crm/7/consents")[1] == now


def test_wrong_statements_of_consent_are_refused_by_field(api: Api) -> None:
    api.call("POST", "profiles", {"profiles": [{"external_id": "a"}]})
    status, problem = api.call(
        "PUT", "profiles/a/consents", {"channel": "E mail", "topic": "Offers!", "state": "subscribed", "source": " "}
    )
    assert (status, paths(problem)) == (422, ["/channel", "/topic", "/source"])
    assert api.call("PUT", "profiles/a/consents", {"channel": "email", "topic": "x", "state": "maybe", "source": "s"})[0] == 422
    assert api.call("PUT", "profiles/nobody/consents", {"channel": "email", "topic": "x", "state": "subscribed", "source": "s"})[0] == 404
    assert not Subscription.objects.exists()


def test_events_of_a_person_are_listed_newest_first(api: Api, workspace_id: int, now: datetime) -> None:
    api.call("POST", "profiles", {"profiles": [{"external_id": "a"}, {"external_id": "b"}]})
    for day, who in enumerate("aab", start=1):
        at = now.replace(day=1, hour=day)
        audience.record(workspace_id, [audience.NewEvent(f"e{day}", "visit", who, at, {"page": day})], now=now)
    items = api.call("GET", "profiles/a/events")[1]["items"]
    assert [(item["id"], item["properties"]) for item in items] == [("e2", {"page": 2}), ("e1", {"page": 1})]


def test_a_forgotten_person_is_gone_and_may_come_again_as_somebody_new(api: Api, ada: Actor, now: datetime) -> None:
    api.call("POST", "profiles", {"profiles": [ADA]})
    number = api.call("GET", "profiles/u-1")[1]["id"]
    assert api.call("DELETE", "profiles/u-1") == (204, None)
    assert (
        api.call("GET", "profiles/u-1")[0]
        == api.call("DELETE", "profiles/u-1")[0]
        == api.call("GET", f"profiles/erased-{number}")[0]
        == 404
    )
    assert api.call("GET", "profiles")[1]["items"] == []
    entry = governance.AuditEntry.objects.get(action="profile.erased")
    assert (entry.subject, entry.data) == (f"profile:{number}", {})
    api.call("POST", "profiles", {"profiles": [ADA]})
    assert api.call("GET", "profiles/u-1")[1]["id"] > number


def test_a_key_sees_only_its_own_workspace_and_does_only_what_its_scopes_say(api: Api, ada: Actor, now: datetime) -> None:
    api.call("POST", "profiles", {"profiles": [ADA]})
    stranger = api_of(fill_catalogue(governance.create_workspace("other", "Other"), now), ["profiles:read", "profiles:write"], now)
    for method, path in (
        ("GET", "u-1"),
        ("DELETE", "u-1"),
        ("GET", "u-1/events"),
        ("GET", "u-1/consents"),
        ("GET", "u-1/consents/history"),
    ):
        assert stranger.call(method, f"profiles/{path}")[0] == 404
    assert stranger.call("GET", "profiles")[1]["items"] == []
    reader = api_of(ada, ["profiles:read"], now)
    assert reader.call("GET", "profiles/u-1")[0] == 200
    for method, path in (("POST", "profiles"), ("DELETE", "profiles/u-1"), ("PUT", "profiles/u-1/consents")):
        assert reader.call(method, path, {})[0] == 403


def test_somebody_without_a_name_yet_is_known_by_what_the_guide_says(api: Api) -> None:
    guide = (Path(__file__).resolve().parents[2] / "docs" / "how-to" / "who-is-who.md").read_text()
    body = re.search(r"send `(\{.+?\})` to `POST /profiles`", guide)
    assert body is not None
    assert api.call("POST", "profiles", json.loads(body[1]))[1]["created"] == 1
