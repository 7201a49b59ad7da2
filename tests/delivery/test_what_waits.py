"""What vendors said is durable when it is answered; workers draw from it later, once, whoever dies; opt-outs don't wait."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from audience import door as audience
from delivery import evidence, inbox, reconcile, webhook_log
from delivery.adapters.base import Webhook
from delivery.adapters.registry import adapter
from delivery.door import draw_events, events_waiting, housekeeping, suppressed
from delivery.models import Attempt, VendorEvent, WebhookCall
from delivery.states import AttemptState, MessageState
from governance import door as governance
from tests.delivery import sent as world
from tests.delivery.sent import event, sent

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> datetime:
    return timezone.now() - timedelta(seconds=5)


@pytest.fixture(autouse=True)
def _installation(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    update = {"sendgrid_webhook_key": world.public_key(world.KEY)}
    monkeypatch.setattr(django_settings, "OMNI", django_settings.OMNI.model_copy(update=update))
    webhook_log._held.clear()
    yield


def post(*events: object, now: datetime) -> int:
    """The vendor calls, and no worker is there."""
    body = json.dumps(events).encode()
    return Client().post("/hooks/sendgrid", body, content_type="application/json", headers=world.signature(body, now=now)).status_code


def home() -> int:
    return governance.default_workspace().pk


def test_what_was_answered_waits_for_a_worker_and_is_drawn_from_once(now: datetime) -> None:
    mail = sent(3, now=now)
    assert post(*(event(token, "delivered", now=now) for token in mail.tokens), now=now) == 200
    assert mail.message().state == MessageState.SENDING and events_waiting(home()) == 3
    assert [draw_events(now=timezone.now()), draw_events(now=timezone.now())] == [3, 0]
    assert {mail.message(n).state for n in range(3)} == {MessageState.DELIVERED} and events_waiting() == 0
    call = WebhookCall.objects.get()
    assert (call.events, call.new, call.waiting, call.outcome) == (3, 3, None, "kept") and call.drawn_at is not None


@pytest.mark.parametrize("kind", ["unsubscribe", "group_unsubscribe", "spamreport", "bounce"])
def test_whoever_left_is_left_alone_from_the_answer_on(now: datetime, kind: str) -> None:
    mail = sent(2, now=now)
    some = [event(mail.tokens[1], "delivered", now=now), event(mail.tokens[0], kind, now=now, type="bounce", status="5.1.1")]
    assert post(*some, now=now) == 200
    willing = audience.consenting(home(), mail.people, channel="email", topic="offers", message_class="promotional", now=timezone.now())
    stopped = suppressed(home(), "email", [mail.hash(0), mail.hash(1)])
    assert mail.people[0] not in willing or mail.hash(0) in stopped
    assert mail.people[1] in willing and events_waiting() == 2, "the rest of the call waits"


def test_a_worker_that_dies_over_a_call_leaves_it_for_the_next(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    mail = sent(1, now=now)
    post(event(mail.tokens[0], "delivered", now=now), now=now)

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("delivery.conclusions.draw", dies)
        draw_events(now=timezone.now())
    assert events_waiting() == 1 and not VendorEvent.objects.exists()
    assert draw_events(now=timezone.now()) == 1 and mail.message().state == MessageState.DELIVERED


def test_a_call_that_nobody_can_draw_from_keeps_no_other_waiting(now: datetime) -> None:
    mail = sent(2, now=now)
    for token in mail.tokens:
        post(event(token, "delivered", now=now), now=now)
    first = WebhookCall.objects.order_by("id")[0]
    WebhookCall.objects.filter(pk=first.pk).update(waiting=b"j[[]]")
    draw_events(now=timezone.now())
    assert [mail.message(n).state for n in (0, 1)] == [MessageState.SENDING, MessageState.DELIVERED] and events_waiting() == 0
    assert WebhookCall.objects.get(pk=first.pk).outcome == "stuck"


def test_calls_in_any_order_repeated_and_half_unknown_come_to_the_same(now: datetime) -> None:
    mail = sent(2, now=now)
    calls = [[event(mail.tokens[0], kind, now=now), event("no-such-id", kind, now=now)] for kind in ("spamreport", "open", "delivered")]
    for call in (*calls, *reversed(calls), calls[1]):
        assert post(*call, {"event": 7}, now=now) == 200
    inbox.draw_all(now=timezone.now())
    assert mail.message(0).state == MessageState.COMPLAINED and mail.message(1).state == MessageState.SENDING
    assert VendorEvent.objects.filter(dispatch_id=0).exclude(kind="unreadable").count() == 3
    assert VendorEvent.objects.filter(kind="unreadable").count() == 1 and VendorEvent.objects.exclude(dispatch_id=0).count() == 3


def test_nothing_is_declared_lost_while_the_vendors_word_about_it_waits(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    long_ago = now - timedelta(hours=2)
    silent, later = sent(1, now=long_ago, state=AttemptState.IN_DOUBT), sent(1, now=long_ago + timedelta(minutes=1))
    Attempt.objects.filter(pk=later.attempts[0]).update(heard_at=now - timedelta(hours=1))
    post(event(later.tokens[0], "delivered", now=now), now=now)
    inbox.draw_all(now=timezone.now())
    assert reconcile.feed_came_past(silent.attempt())
    post(event(silent.tokens[0], "processed", now=now), now=now)
    with monkeypatch.context() as patched:  # another worker has the call in hand
        patched.setattr("delivery.inbox.draw", lambda **_: 0)
        assert reconcile.reconcile(now=timezone.now()).resent == 0 and silent.attempt().state == AttemptState.IN_DOUBT
    assert reconcile.reconcile(now=timezone.now()).resent == 0
    assert (silent.attempt().state, silent.attempt().resolved_by) == (AttemptState.SENT, "event")


def test_what_waits_holds_no_address(now: datetime) -> None:
    mail = sent(1, now=now)
    post(event(mail.tokens[0], "deferred", now=now, response="451 <ann@example.com> later"), {"email": "bob@example.com"}, now=now)
    kept = inbox._unpacked(bytes(WebhookCall.objects.get().waiting or b""))
    assert len(kept) == 2 and "@" not in repr([inbox._fields(each) if hasattr(each, "kind") else each.raw for each in kept])


def test_when_a_call_arrived_counts_and_not_when_it_was_drawn_from(now: datetime) -> None:
    mail = sent(1, now=now)
    post(event(mail.tokens[0], "processed", now=now), now=now)
    arrived = WebhookCall.objects.get().received_at
    draw_events(now=timezone.now() + timedelta(hours=3))
    assert mail.attempt().heard_at == arrived


def test_the_first_word_about_a_request_counts_even_if_it_is_drawn_from_last(now: datetime) -> None:
    mail = sent(1, now=now)
    post(event(mail.tokens[0], "processed", now=now), now=now)
    arrived = WebhookCall.objects.get().received_at
    post(event(mail.tokens[0], "spamreport", now=now), now=now)  # has its effect at once
    assert mail.attempt().heard_at > arrived
    draw_events(now=timezone.now())
    assert mail.attempt().heard_at == arrived


# ── the log ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_log_says_what_was_turned_away_and_why(now: datetime) -> None:
    body = b"[]"
    for headers in ({}, world.signature(body, now=now - timedelta(hours=26)), world.signature(b"{}", now=now)):
        assert world.post("/hooks/sendgrid", body, "application/json", headers).status_code == 401
    assert world.post("/hooks/postmark", b"{}", "application/json", {}).status_code == 401
    rows = list(WebhookCall.objects.filter(outcome="refused").order_by("id").values_list("vendor", "reason"))
    assert rows == [
        ("sendgrid", webhook_log.BAD_SIGNATURE),
        ("sendgrid", webhook_log.STALE),
        ("postmark", webhook_log.NO_ACCOUNT),
    ]


def test_a_flood_of_forgeries_fills_no_table(now: datetime) -> None:
    for _ in range(50):
        webhook_log.refused("sendgrid", "", webhook_log.BAD_SIGNATURE, now=now)
    webhook_log.refused("sendgrid", "", webhook_log.BAD_SIGNATURE, now=now + timedelta(seconds=2))
    assert list(WebhookCall.objects.order_by("id").values_list("calls", flat=True)) == [1, 50]
    (found,) = webhook_log.failing(home(), now=now + timedelta(minutes=5))
    assert (found["vendor"], found["many"]) == ("sendgrid", 51) and webhook_log.failing(home(), now=now + timedelta(hours=2)) == []


def test_the_log_is_kept_for_days_and_what_waits_until_it_is_drawn_from(now: datetime) -> None:
    mail = sent(1, now=now)
    post(event(mail.tokens[0], "delivered", now=now), now=now)
    webhook_log.refused("sendgrid", "", webhook_log.BAD_SIGNATURE, now=now)
    webhook_log.trim(now=now + timedelta(days=4))
    assert WebhookCall.objects.count() == 1 and events_waiting() == 1
    housekeeping(now)
    webhook_log.trim(now=now + timedelta(days=4))
    assert not WebhookCall.objects.exists() and mail.message().state == MessageState.DELIVERED


def test_drawing_is_the_same_as_taking_at_once(now: datetime) -> None:
    waited, taken = sent(1, now=now), sent(1, now=now)
    kinds = ["processed", "deferred", "delivered", "open", "click"]
    post(*(event(waited.tokens[0], kind, now=now, url="https://x/", useragent="Firefox/128") for kind in kinds), now=now)
    inbox.draw_all(now=timezone.now())
    body = json.dumps([event(taken.tokens[0], kind, now=now, url="https://x/", useragent="Firefox/128") for kind in kinds]).encode()
    evidence.take(adapter("sendgrid").events(Webhook("", {}, body, now)), home=home(), now=now)
    columns = ("kind", "machine", "permanent", "link", "detail", "at")
    both = [
        list(VendorEvent.objects.filter(dispatch_id=mail.dispatch.pk).order_by("kind").values_list(*columns)) for mail in (waited, taken)
    ]
    assert both[0] == both[1] and len(both[0]) == 5
