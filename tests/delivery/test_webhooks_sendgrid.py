"""SendGrid tells what became of mail: kept once, in any order, and only when SendGrid said it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from audience import door as audience
from delivery import webhooks
from delivery.door import suppressed
from delivery.models import Suppression, VendorEvent
from delivery.states import AttemptState, MessageState
from governance import door as governance
from tests.delivery import sent as world
from tests.delivery.sent import event, sendgrid, sent

pytestmark = pytest.mark.django_db
OFFERS = {"channel": "email", "topic": "offers", "message_class": "promotional"}


@pytest.fixture
def now() -> datetime:
    """The views read the clock; a moment ago, so that nothing lies in the future."""
    return timezone.now() - timedelta(seconds=5)


@pytest.fixture(autouse=True)
def _installation(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(
        django_settings, "OMNI", django_settings.OMNI.model_copy(update={"sendgrid_webhook_key": world.public_key(world.KEY)})
    )
    yield


def home() -> int:
    return governance.default_workspace().pk


def names(profile_id: int) -> list[str]:
    return sorted(each.name for each in audience.events_of(home(), profile_id))


# ── what an event does ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_delivered_mail_is_delivered(now: datetime) -> None:
    mail = sent(now=now)
    assert sendgrid([event(mail.tokens[0], "delivered", now=now)], now=now).status_code == 200
    assert [mail.message(n).state for n in range(3)] == [MessageState.DELIVERED, MessageState.SENDING, MessageState.SENDING]
    assert names(mail.people[0]) == ["message.delivered"]


@pytest.mark.parametrize("state", [AttemptState.POSTING, AttemptState.IN_DOUBT])
def test_one_event_about_any_message_proves_the_whole_request(now: datetime, state: AttemptState) -> None:
    mail = sent(now=now, state=state)
    sendgrid([event(mail.tokens[1], "processed", now=now)], now=now)
    proven = mail.attempt(0)
    assert (proven.state, proven.resolved_by) == (AttemptState.SENT, "event") and proven.resolved_at is not None
    assert mail.message(1).state == MessageState.SENDING, "processed says nothing about the message itself"


def test_a_refused_request_stays_refused(now: datetime) -> None:
    mail = sent(now=now, state=AttemptState.REFUSED)
    sendgrid([event(mail.tokens[0], "processed", now=now)], now=now)
    assert mail.attempt().state == AttemptState.REFUSED


def test_the_first_event_about_a_request_is_remembered(now: datetime) -> None:
    silent, heard = sent(now=now - timedelta(hours=1)), sent(now=now)
    sendgrid([event(heard.tokens[0], "processed", now=now)], now=now)
    first = heard.attempt().heard_at
    sendgrid([event(heard.tokens[0], "delivered", now=now)], now=now)
    assert first is not None and heard.attempt().heard_at == first and silent.attempt().heard_at is None


def test_a_hard_bounce_suppresses_the_address_for_everything(now: datetime) -> None:
    mail = sent(now=now)
    sendgrid([event(mail.tokens[0], "bounce", now=now, type="bounce", status="5.1.1", reason="550 no such mailbox")], now=now)
    assert mail.message().state == MessageState.BOUNCED
    assert suppressed(home(), "email", [mail.hash(0), mail.hash(1)], message_class="transactional") == {mail.hash(0)}


@pytest.mark.parametrize("more", [{"type": "blocked", "status": "5.7.1"}, {"type": "bounce", "status": "4.2.2"}])
def test_a_refusal_that_says_nothing_about_the_mailbox_suppresses_nothing(now: datetime, more: dict[str, str]) -> None:
    mail = sent(now=now)
    sendgrid([event(mail.tokens[0], "bounce", now=now, **more)], now=now)
    assert mail.message().state == MessageState.BOUNCED and not Suppression.objects.exists()


def test_a_complaint_withdraws_every_consent_on_the_channel_and_suppresses(now: datetime) -> None:
    mail = sent(now=now)
    sendgrid([event(mail.tokens[0], "delivered", now=now), event(mail.tokens[0], "spamreport", now=now)], now=now)
    assert mail.message().state == MessageState.COMPLAINED
    assert audience.consenting(
        home(), mail.people, channel="email", topic="offers", message_class="promotional", now=timezone.now()
    ) == set(mail.people[1:])
    assert suppressed(home(), "email", [mail.hash()], message_class="transactional") == {mail.hash()}


def test_a_group_unsubscription_withdraws_the_topic_only(now: datetime) -> None:
    mail = sent(now=now)
    sendgrid([event(mail.tokens[0], "group_unsubscribe", now=now, asm_group_id=4)], now=now)
    assert audience.consenting(
        home(), mail.people, channel="email", topic="offers", message_class="promotional", now=timezone.now()
    ) == set(mail.people[1:])
    assert not Suppression.objects.exists()


def test_an_unsubscription_from_everything_leaves_transactional_mail_alone(now: datetime) -> None:
    mail = sent(now=now)
    sendgrid([event(mail.tokens[0], "unsubscribe", now=now)], now=now)
    assert suppressed(home(), "email", [mail.hash()], message_class="promotional") == {mail.hash()}
    assert suppressed(home(), "email", [mail.hash()], message_class="transactional") == set()


def test_what_the_vendor_dropped_has_failed(now: datetime) -> None:
    mail = sent(now=now)
    sendgrid([event(mail.tokens[0], "dropped", now=now, reason="Bounced Address")], now=now)
    assert mail.message().state == MessageState.FAILED and suppressed(home(), "email", [mail.hash()]) == {mail.hash()}


def test_machines_are_told_apart_and_counted_by_their_own_name(now: datetime) -> None:
    mail = sent(now=now)
    opened = [event(mail.tokens[0], "open", now=now, useragent="Mozilla/5.0", sg_machine_open=True)]
    sendgrid([*opened, event(mail.tokens[1], "open", now=now, useragent="Mozilla/5.0 (X11) Firefox/128.0")], now=now)
    assert names(mail.people[0]) == ["message.machine_opened"] and names(mail.people[1]) == ["message.opened"]


# ── once, and in any order ────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_event_three_times_counts_once(now: datetime) -> None:
    mail, client = sent(now=now), Client()
    one = event(mail.tokens[0], "open", now=now, useragent="Firefox/128.0")
    assert [sendgrid([one, one], now=now, client=client).status_code for _ in range(3)] == [200, 200, 200]
    assert VendorEvent.objects.count() == 1 and names(mail.people[0]) == ["message.opened"]


@pytest.mark.parametrize("order", list(itertools.permutations(["processed", "delivered", "bounce", "spamreport"])))
def test_whatever_the_order_the_highest_state_stands(now: datetime, order: tuple[str, ...]) -> None:
    mail = sent(1, now=now)
    for kind in order:
        sendgrid([event(mail.tokens[0], kind, now=now, type="bounce", status="5.1.1")], now=now)
    assert mail.message().state == MessageState.COMPLAINED and suppressed(home(), "email", [mail.hash()]) == {mail.hash()}


def test_in_one_post_the_highest_state_stands(now: datetime) -> None:
    mail = sent(1, now=now)
    bounced = event(mail.tokens[0], "bounce", now=now, type="bounce", status="5.1.1")
    sendgrid([bounced, event(mail.tokens[0], "delivered", now=now)], now=now)
    assert mail.message().state == MessageState.BOUNCED


# ── what is not the vendor's ──────────────────────────────────────────────────────────────────────────────────────


def nothing_happened(mail: world.Sent) -> bool:
    untouched = mail.message().state == MessageState.SENDING and mail.attempt().state == AttemptState.IN_DOUBT
    return untouched and not VendorEvent.objects.exists() and not Suppression.objects.exists() and names(mail.people[0]) == []


@pytest.mark.parametrize("fault", ["unsigned", "foreign", "altered", "too old"])
def test_what_the_vendor_did_not_sign_changes_nothing(now: datetime, fault: str) -> None:
    mail = sent(now=now, state=AttemptState.IN_DOUBT)
    body = json.dumps([event(mail.tokens[0], "unsubscribe", now=now)]).encode()
    headers = {
        "unsigned": {},
        "foreign": world.signature(body, now=now, key=ec.generate_private_key(ec.SECP256R1())),
        "altered": world.signature(body + b" ", now=now),
        "too old": world.signature(body, now=now - timedelta(hours=26)),
    }[fault]
    assert world.post("/hooks/sendgrid", body, "application/json", headers).status_code == 401
    assert nothing_happened(mail)


def test_a_message_id_that_is_not_ours_is_kept_as_an_orphan(now: datetime) -> None:
    mail = sent(now=now)
    forged = mail.tokens[0][:-1] + ("A" if mail.tokens[0][-1] != "A" else "B")
    some = [event(token, "unsubscribe", now=now) for token in (forged, "no-such-id", "")]
    assert sendgrid(some, now=now).status_code == 200
    assert VendorEvent.objects.filter(dispatch_id=0).count() == 3 and not Suppression.objects.exists()
    assert mail.message().state == MessageState.SENDING


def test_an_account_of_one_workspace_says_nothing_about_anothers_messages(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    own = ec.generate_private_key(ec.SECP256R1())
    monkeypatch.setenv("OMNI_SECRET_MAIL_KEY", "SG.x")
    monkeypatch.setenv("OMNI_SECRET_MAIL_HOOK", world.public_key(own))
    secrets = {"api_key": "MAIL_KEY", "webhook_key": "MAIL_HOOK"}
    body = {"title": "Mail", "channel": "email", "vendor": "sendgrid", "secrets": secrets}
    world.factories.put("vendor_route", "mail", body, now=now, author="cleo")
    world.factories.release("vendor_route", "mail", now=now, author="cleo")
    other = governance.create_workspace("other", "Other")
    theirs, ours = sent(1, now=now, workspace_id=other.pk), sent(1, now=now)
    both = [event(theirs.tokens[0], "delivered", now=now), event(ours.tokens[0], "delivered", now=now)]
    assert sendgrid(both, now=now, key=own).status_code == 200
    assert theirs.message().state == MessageState.SENDING and ours.message().state == MessageState.DELIVERED
    assert sendgrid(both, now=now, key=own, path="/hooks/sendgrid/other").status_code == 401
    assert sendgrid(both, now=now, key=own, path="/hooks/sendgrid/default").status_code == 200
    assert sendgrid(both, now=now, path="/hooks/sendgrid/default").status_code == 401, "the installation's key is for its own address"


# ── what can't be read ────────────────────────────────────────────────────────────────────────────────────────────


def test_one_malformed_event_among_ten_thousand_is_set_aside_and_the_rest_kept(now: datetime) -> None:
    mail = sent(5, now=now)
    some: list[Any] = [event(mail.tokens[n % 5], "processed", now=now) for n in range(9_999)]
    some.insert(5, {"event": "delivered", "sg_event_id": None, "timestamp": "x"})
    assert sendgrid(some, now=now).status_code == 200
    assert VendorEvent.objects.exclude(dispatch_id=0).count() == 9_999
    dead = VendorEvent.objects.get(kind="unreadable")
    assert dead.detail.startswith("/sg_event_id: expected 1 to 100 printable characters")


@pytest.mark.parametrize("body", [b"", b"null", b"{", b"<xml/>", b"[" * 5_000, b'["\xff"]', b"[1,2]"])
def test_a_signed_body_that_nobody_can_read_is_kept_and_answered(now: datetime, body: bytes) -> None:
    assert sendgrid(body, now=now).status_code == 200
    assert VendorEvent.objects.filter(kind="unreadable").exists()


def test_a_body_beyond_ten_megabytes_is_refused(now: datetime) -> None:
    assert sendgrid(b"[" + b" " * (webhooks.LARGEST_BODY + 1) + b"]", now=now).status_code == 413


def test_a_body_larger_than_ordinary_requests_is_taken(now: datetime) -> None:
    mail = sent(1, now=now)
    some = [event(mail.tokens[0], "processed", now=now, padding="x" * 6_000) for _ in range(1_000)]
    assert sendgrid(some, now=now).status_code == 200 and VendorEvent.objects.count() == 1_000


def test_only_posts_to_known_vendors_are_answered(now: datetime) -> None:
    assert Client().get("/hooks/sendgrid").status_code == 405
    assert world.post("/hooks/carrier-pigeon", b"[]", "application/json", {}).status_code == 404
    assert world.post("/hooks/outbox", b"[]", "application/json", {}).status_code == 404


def test_no_address_is_kept_with_an_event(now: datetime) -> None:
    mail = sent(1, now=now)
    sendgrid(
        [event(mail.tokens[0], "bounce", now=now, status="5.1.1", reason="550 <ann@example.com> unknown"), {"email": "bob@example.com"}],
        now=now,
    )
    assert not any("@" in detail for detail in VendorEvent.objects.values_list("detail", flat=True))
