"""Devices by HTTP: registered, moved, bounded, taken away, forgotten; and who can be reached by push."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client
from pyroaring import BitMap64

from audience import device_forms, devices
from audience import door as audience
from audience.devices import devices_of, register_device
from audience.models import Device
from governance import door as governance
from governance.door import Actor, Invalid
from tests import factories as make
from tests.audience.conftest import Api
from tests.together import together

TOKEN = "dFakeRegistrationToken-1:APA91b_ada"
SUBSCRIPTION = {
    "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/gAAAA-ada",
    "expirationTime": None,
    "keys": {
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    },
}


@pytest.fixture
def api(api: Api) -> Api:
    """Of a workspace with Ada and Bob."""
    api.call("POST", "profiles", {"profiles": [{"external_id": "ada"}, {"external_id": "bob", "email": "bob@example.com"}]})
    return api


def put(api: Api, whose: str, **device: Any) -> tuple[int, Any]:
    return api.call("PUT", f"profiles/{whose}/devices", device)


def test_a_registered_device_is_shown_by_its_last_characters_only(api: Api) -> None:
    status, answer = put(api, "ada", platform="fcm", token=TOKEN)
    assert (status, [(each["platform"], each["ending"]) for each in answer["items"]]) == (200, [("fcm", "…1b_ada")])
    put(api, "ada", platform="webpush", subscription=SUBSCRIPTION)
    put(api, "ada", platform="apns", token="AB" * 32)
    status, answer = api.call("GET", "profiles/ada/devices")
    assert [each["ending"] for each in answer["items"]] == ["…ababab", "…AA-ada", "…1b_ada"]
    assert TOKEN not in str(answer) and SUBSCRIPTION["endpoint"] not in str(answer)


def test_the_same_device_again_is_the_same_device(api: Api) -> None:
    first = put(api, "ada", platform="webpush", subscription=SUBSCRIPTION)[1]["items"][0]
    renewed = {**SUBSCRIPTION, "keys": {**SUBSCRIPTION["keys"], "auth": "AAAAAAAAAAAAAAAAAAAAAA"}}  # type: ignore[dict-item]
    (again,) = put(api, "ada", platform="webpush", subscription=renewed)[1]["items"]
    assert again["created_at"] == first["created_at"] and again["seen_at"] > first["seen_at"]
    assert '"auth":"AAAAAAAAAAAAAAAAAAAAAA"' in Device.objects.get().address


def test_a_token_that_moves_to_another_person_leaves_the_first(api: Api) -> None:
    put(api, "ada", platform="fcm", token=TOKEN)
    put(api, "bob", platform="fcm", token=TOKEN)
    assert api.call("GET", "profiles/ada/devices")[1]["items"] == []
    assert len(api.call("GET", "profiles/bob/devices")[1]["items"]) == 1


def test_a_device_is_taken_away_once_and_again_without_complaint(api: Api) -> None:
    put(api, "ada", platform="fcm", token=TOKEN)
    assert api.call("DELETE", "profiles/bob/devices", {"platform": "fcm", "token": TOKEN})[0] == 204
    assert Device.objects.count() == 1  # it isn't Bob's
    for _ in range(2):
        assert api.call("DELETE", "profiles/ada/devices", {"platform": "fcm", "token": TOKEN})[0] == 204
    assert Device.objects.count() == 0


def test_beyond_the_most_the_device_seen_longest_ago_goes(api: Api, ada: Actor, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "MOST", 2)
    number = audience.ids_of(ada.workspace_id, ["ada"])["ada"]
    for minute, ending in enumerate(("one", "two", "one", "three")):
        device = device_forms.device_address("fcm", f"a-registration-token-{ending}", None)
        register_device(ada.workspace_id, number, device, now=now + timedelta(minutes=minute))
    assert [each.ending for each in devices_of(ada.workspace_id, number)] == ["…-three", "…en-one"]


@pytest.mark.parametrize(
    ("device", "path"),
    [
        ({"platform": "fcm"}, "/token"),
        ({"platform": "fcm", "token": "with a blank in the middle"}, "/token"),
        ({"platform": "apns", "token": "xyz" * 30}, "/token"),
        ({"platform": "apns", "token": "ab" * 32, "subscription": {}}, "/subscription"),
        ({"platform": "webpush", "token": TOKEN}, "/token"),
        ({"platform": "webpush"}, "/subscription"),
        ({"platform": "webpush", "subscription": {**SUBSCRIPTION, "endpoint": "http://10.0.0.1/x"}}, "/subscription/endpoint"),
        ({"platform": "webpush", "subscription": {**SUBSCRIPTION, "endpoint": "https://10.0.0.1/x"}}, "/subscription/endpoint"),
        ({"platform": "webpush", "subscription": {**SUBSCRIPTION, "endpoint": "https://[::1]/x"}}, "/subscription/endpoint"),
        ({"platform": "webpush", "subscription": {**SUBSCRIPTION, "endpoint": "https://intranet/x"}}, "/subscription/endpoint"),
        (
            {"platform": "webpush", "subscription": {**SUBSCRIPTION, "keys": {"auth": "BTBZMqHH6r4Tts7J_aSIgg"}}},
            "/subscription/keys/p256dh",
        ),
        ({"platform": "webpush", "subscription": {**SUBSCRIPTION, "keys": None}}, "/subscription/keys/p256dh"),
    ],
)
def test_what_is_no_device_is_said_without_showing_it(device: Any, path: str) -> None:
    with pytest.raises(Invalid) as invalid:
        device_forms.device_address(device["platform"], device.get("token"), device.get("subscription"))
    assert path in [finding.path for finding in invalid.value.findings]
    assert not device.get("token") or device["token"] not in str(invalid.value.findings)


def test_a_request_that_names_no_device_is_answered_with_its_findings(api: Api) -> None:
    for device, path in (({"platform": "pager", "token": TOKEN}, "/platform"), ({"platform": "apns", "token": TOKEN}, "/token")):
        status, problem = put(api, "ada", **device)
        assert (status, [finding["path"] for finding in problem["findings"]]) == (422, [path]) and TOKEN not in str(problem)


def test_nobody_unknown_has_devices(api: Api) -> None:
    assert put(api, "nobody", platform="fcm", token=TOKEN)[0] == 404
    assert api.call("DELETE", "profiles/nobody/devices", {"platform": "fcm", "token": TOKEN})[0] == 404


def test_the_forgotten_lose_their_devices(api: Api) -> None:
    put(api, "ada", platform="fcm", token=TOKEN)
    assert api.call("DELETE", "profiles/ada")[0] == 204
    assert not Device.objects.exists()


def test_a_dead_device_is_passed_over_until_it_is_registered_anew(api: Api, ada: Actor, now: datetime) -> None:
    workspace_id, later = ada.workspace_id, now + timedelta(days=3_650)
    put(api, "ada", platform="fcm", token=TOKEN)
    put(api, "ada", platform="apns", token="ab" * 32)
    number = audience.ids_of(workspace_id, ["ada"])["ada"]
    audience.invalidate_devices(workspace_id, [(number, "ab" * 32)], why="HTTP 410 Unregistered", now=later)
    (person,) = audience.load(workspace_id, [number])
    assert person.devices == () and TOKEN not in repr(person)
    audience.give_devices(workspace_id, [person])
    assert [device.text for device in person.devices] == [TOKEN] and TOKEN not in repr(person)
    assert put(api, "ada", platform="apns", token="ab" * 32)[1]["items"][0]["invalid_at"] is None


def test_whoever_has_a_valid_device_can_be_reached_by_push(api: Api, ada: Actor, now: datetime) -> None:
    workspace_id, ids = ada.workspace_id, audience.ids_of(ada.workspace_id, ["ada", "bob"])
    put(api, "ada", platform="fcm", token=TOKEN)
    everyone = BitMap64(ids.values())
    assert list(audience.unreachable(workspace_id, everyone, channel="push")) == [ids["bob"]]
    assert [one for some in audience.addresses(workspace_id, everyone, channel="push") for one in some] == [(ids["ada"], TOKEN)]
    governance.save(ada, "segment", "phones", {"title": "Phones", "rule": {"reachable": "push"}}, base=None, now=now)
    rule = governance.document(workspace_id, "segment", "phones").latest.model
    assert list(audience.resolve(workspace_id, rule, as_of=now).ids) == [ids["ada"]]
    assert audience.sentence(rule.rule) == "People who can be reached by push."


def test_the_page_of_a_person_shows_their_devices_masked(api: Api, ada: Actor, client: Client) -> None:
    put(api, "ada", platform="fcm", token=TOKEN)
    client.force_login(governance.User.objects.get())
    page = client.get(f"/console/profiles/{audience.ids_of(ada.workspace_id, ['ada'])['ada']}/").content.decode()
    assert "…1b_ada" in page and TOKEN not in page


def test_a_token_that_two_people_are_said_to_have_at_once_is_one_persons(open_workspace_id: int, now: datetime) -> None:
    people = [make.profile(now=now) for _ in range(2)]
    device = device_forms.device_address("fcm", TOKEN, None)
    together([partial(register_device, open_workspace_id, number, device, now=now) for number in people * 3])
    assert Device.objects.filter(profile_id__in=people).count() == 1
