"""A campaign to phones: which device a message goes to, by whom, and what an answer says about the device."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client

from audience import door as audience
from audience.device_forms import device_address
from audience.models import Device
from delivery import door as delivery
from delivery.models import Attempt, OutboxMail, Suppression
from governance import door as governance
from tests import factories as make
from tests.adapters import letters
from tests.delivery.conftest import Street, clock, street, vendor
from workflow import pipeline, trials, worker

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["clock", "street", "vendor"]  # fixtures
AGREED = (("push", "offers", "subscribed"),)


def phones_and_all(street: Street, **changes: Any) -> str:
    """The spring sale by push, in force."""
    body = make.push_message(collapse_key="spring", **changes)
    return make.spring_sale(now=street.clock(), template_changes=body)


def somebody(street: Street, **changes: Any) -> int:
    return make.profile(now=street.clock(), **{"consents": AGREED, **changes})


def launch(street: Street, key: str) -> int:
    run = pipeline.launch(street.person("ben"), key, now=street.clock())
    work(street)
    return run.dispatch_id


def work(street: Street) -> None:
    while (piece := street.lease()) is not None:
        pipeline.send_batch(piece, vendors=street.vendors, clock=street.clock)


def test_each_message_goes_to_the_device_seen_last_by_the_vendor_that_writes_to_it(street: Street) -> None:
    for vendor_ in ("fcm", "apns"):
        street.route(vendor_)
    both, android, neither, no_consent = (somebody(street) for _ in range(4))
    audience.set_consent(
        street.workspace_id, [no_consent], channel="push", topic="*", state="unsubscribed", source="app", now=street.clock()
    )
    street.device(both, "token-of-her-android")
    iphone = street.device(both, "ab" * 32, "apns")
    street.device(android, "token-of-his-old-one")
    latest = street.device(android, "token-of-his-new-one")
    street.device(no_consent, "token-of-nobody")
    dispatch_id = launch(street, phones_and_all(street))
    assert {(one.vendor, one.address) for one in street.vendor.accepted} == {("apns", iphone), ("fcm", latest)}
    assert street.why(dispatch_id, neither) == ("left_out", "unreachable") and street.why(dispatch_id, no_consent)[1] == "no_consent"
    said = json.loads(next(one.body for one in street.vendor.accepted if one.vendor == "fcm"))
    assert said["notification"] == {"title": "Spring is here", "body": "A fifth off"}
    assert said["data"]["link"] == "https://www.wayfare.example/spring" and said["android"]["collapse_key"] == "spring"


def test_a_dead_device_is_passed_over_the_next_time(street: Street) -> None:
    street.route("fcm")
    ann = somebody(street)
    older, newer = street.device(ann, "token-of-the-older"), street.device(ann, "token-of-the-newer")
    street.vendor.gone = {newer}
    key = phones_and_all(street)
    first = launch(street, key)
    assert street.why(first, ann) == ("failed", "bad_address") and street.vendor.accepted == []
    assert [(one.address, one.invalid_why) for one in Device.objects.filter(invalid_at__isnull=False)] == [
        (newer, "Firebase (FCM v1): HTTP 404 UNREGISTERED")
    ]
    assert not Suppression.objects.exists()  # the app may register it anew
    street.clock.pass_(minutes=1)
    launch(street, key)
    assert [one.address for one in street.vendor.accepted] == [older]


def test_a_browser_is_written_to_until_its_service_says_that_it_is_gone(street: Street) -> None:
    street.route("webpush")
    ann, ben, endpoint = somebody(street), somebody(street), "https://push.test/webpush/ann"
    device = device_address("webpush", None, json.loads(letters.subscription(endpoint)))
    street.device(ann, device.text, "webpush")
    key = phones_and_all(street)
    launch(street, key)
    assert [one.address for one in street.vendor.accepted] == [endpoint]
    street.vendor.gone = {endpoint}
    street.device(ben, device.text, "webpush")  # he signs in where she did
    dispatch_id = launch(street, key)
    assert street.why(dispatch_id, ben) == ("failed", "bad_address") and Device.objects.get().invalid_why == "Web push: HTTP 410"


def test_an_answer_that_changes_nothing_about_the_device_leaves_it_alone(street: Street) -> None:
    street.route("fcm")
    ann = somebody(street)
    street.device(ann, "token-of-the-phone")
    street.vendor.fault = lambda number: "400"
    assert street.why(launch(street, phones_and_all(street)), ann) == ("failed", "rejected")
    assert not Device.objects.filter(invalid_at__isnull=False).exists()


def test_whoever_has_only_devices_that_no_route_writes_to_is_unreachable(street: Street) -> None:
    street.route("fcm")
    ann, ben = somebody(street), somebody(street)
    street.device(ann, "ab" * 32, "apns")
    token = street.device(ben, "token-of-bens-phone")
    street.device(ben, "cd" * 32, "apns")
    dispatch_id = launch(street, phones_and_all(street))
    assert street.why(dispatch_id, ann) == ("skipped", "unreachable")
    assert [one.address for one in street.vendor.accepted] == [token]


def test_outside_production_a_device_is_reached_where_its_owner_is_listed(street: Street, settings: Any) -> None:
    street.route("fcm")
    settings.OMNI = settings.OMNI.model_copy(update={"allowed_recipients": "@tester.example"})
    tester, other = somebody(street, email="ada@tester.example"), somebody(street)
    token = street.device(tester, "token-of-the-tester")
    street.device(other, "token-of-a-customer")
    dispatch_id = launch(street, phones_and_all(street))
    assert [one.address for one in street.vendor.accepted] == [token] and street.why(dispatch_id, other)[1] == "not_allowed"


def test_a_suppressed_token_is_left_out_unless_there_is_another_device(street: Street) -> None:
    street.route("fcm")
    ann, ben = somebody(street), somebody(street)
    for who in (ann, ben):
        token = street.device(who, f"token-of-number-{who}")
        delivery.suppress(street.workspace_id, "push", token, reason="manual", source="tests", now=street.clock())
    other = street.device(ben, "token-of-bens-other-one")
    dispatch_id = launch(street, phones_and_all(street))
    assert street.why(dispatch_id, ann) == ("left_out", "suppressed") and [one.address for one in street.vendor.accepted] == [other]


def test_in_the_mailbox_a_push_shows_what_travels_and_no_token(street: Street, settings: Any) -> None:
    settings.OMNI = settings.OMNI.model_copy(update={"vendor": "outbox"})
    ann = somebody(street)
    street.device(ann, "token-of-the-phone")
    pipeline.launch(street.person("ben"), phones_and_all(street), now=street.clock())
    worker.drain(now=street.clock)
    mail = OutboxMail.objects.get()
    assert (mail.subject, mail.text, mail.recipient) == ("Spring is here", "A fifth off", "…-phone")
    assert mail.headers == {"Link": "https://www.wayfare.example/spring", "Collapse-Key": "spring"}


def test_a_test_to_oneself_goes_to_ones_own_device(street: Street, settings: Any) -> None:
    settings.OMNI = settings.OMNI.model_copy(update={"allowed_recipients": "ada@example.com"})
    street.route("fcm")
    actor, key = street.person("ada"), "offer"
    phones_and_all(street)
    made = trials.look(governance.document(street.workspace_id, "template", key).latest, None, "")
    with pytest.raises(governance.Invalid):
        trials.send_to_oneself(actor, *made, None, email="ada@example.com", phone="", now=street.clock())
    street.device(somebody(street, email="ada@example.com"), "ab" * 32, "apns")
    with pytest.raises(governance.Missing, match="writes to apns devices"):
        trials.send_to_oneself(actor, *made, None, email="ada@example.com", phone="", now=street.clock())


def test_a_less_preferred_route_carries_what_it_alone_writes_to(street: Street, client: Client) -> None:
    street.route("fcm", weight=200)
    street.route("apns", weight=50)
    android, iphone = somebody(street), somebody(street)
    to = {("fcm", street.device(android, "token-of-her-android")), ("apns", street.device(iphone, "ab" * 32, "apns"))}
    launch(street, phones_and_all(street))
    assert {(one.vendor, one.address) for one in street.vendor.accepted} == to
    client.force_login(governance.User.objects.get(username="ada"))
    page = client.get("/console/delivery/routes/").content.decode()
    assert "messages to Apple devices" in page and "only where it is named" not in page


def test_of_two_routes_to_the_same_devices_the_preferred_one_carries_everything(street: Street, client: Client) -> None:
    street.route("apns", weight=200)
    street.route("apns", key="apns-spare", weight=50)
    for n in range(10):
        street.device(somebody(street), f"{n:02d}" * 32, "apns")
    dispatch_id = launch(street, phones_and_all(street))
    assert set(Attempt.objects.filter(dispatch_id=dispatch_id).values_list("account", flat=True)) == {"apns"}
    client.force_login(governance.User.objects.get(username="ada"))
    assert "only where it is named" in client.get("/console/delivery/routes/").content.decode()


def test_the_page_of_a_failed_push_leads_to_the_persons_devices(street: Street, client: Client) -> None:
    street.route("fcm")
    ann = somebody(street)
    street.vendor.gone = {street.device(ann, "token-of-the-phone")}
    dispatch_id = launch(street, phones_and_all(street))
    client.force_login(governance.User.objects.get(username="ada"))
    page = client.get(f"/console/messages/{delivery.message_id(dispatch_id, 0)}/").content.decode()
    assert "Which of their devices are gone" in page and "token-of-the-phone" not in page


def test_pages_say_which_device_it_went_to_and_which_comes_next(street: Street, client: Client) -> None:
    for vendor_ in ("fcm", "apns"):
        street.route(vendor_)
    ann = somebody(street)
    street.device(ann, "token-of-the-older")
    street.device(ann, "ab" * 32, "apns")
    street.vendor.gone = {street.device(ann, "token-of-the-newer")}
    key = phones_and_all(street, topic="offers")
    dispatch_id = launch(street, key)
    client.force_login(governance.User.objects.get(username="ada"))

    def told(address: str) -> str:
        return " ".join(re.sub(r"<[^>]+>", " ", client.get(address).content.decode()).split())

    message = told(f"/console/messages/{delivery.message_id(dispatch_id, 0)}/")
    assert "Device Firebase app …-newer , gone since" in message and "About Offers, promotional" in message
    person = told(f"/console/profiles/{ann}/")
    assert re.search(r"Firebase app …-newer .*? Gone Apple device …ababab seen [^…]* Written to next Firebase app …-older", person)
    routes = told("/console/delivery/routes/")
    assert "messages to Firebase apps" in routes and "messages to Apple devices" in routes and "50 %" not in routes


def test_a_run_of_push_messages_expects_no_reports(street: Street, client: Client) -> None:
    street.route("fcm")
    street.device(somebody(street), "token-of-the-phone")
    run = pipeline.launch(street.person("ben"), phones_and_all(street), now=street.clock())
    work(street)
    client.force_login(governance.User.objects.get(username="ada"))
    page = client.get(f"/console/runs/{run.pk}/").content.decode()
    assert "Push services report nothing" in page and "Delivered</th>" not in page and "No reports from the vendor yet" not in page
    assert "<dt>Topic</dt><dd>Offers</dd>" in page and "its route has no prices" in page


def test_pages_show_a_push_on_a_lock_screen_with_what_travels_beside_it(street: Street, client: Client) -> None:
    street.route("fcm")
    phones_and_all(street, ttl=60)
    client.force_login(governance.User.objects.get(username="ada"))
    page = client.get("/console/templates/offer/preview/").content.decode()
    assert "of the 4,096 bytes" in page and "https://www.wayfare.example/spring" in page and "data-lock" in page
    frame = client.get(f"/console/templates/offer/frame/{governance.document(street.workspace_id, 'template', 'offer').latest.number}/")
    assert "Spring is here" in frame.content.decode() and "9:41" in frame.content.decode()
    editor = client.get("/console/templates/offer/").content.decode()
    assert "A tap opens" in editor and 'name="/ttl:int?" value="60"' in editor and 'id="f-sender-name"' not in editor
