"""Twilio's callbacks and people's own words: STOP stops, START takes that back, and nobody else can say either."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from django.utils import timezone
from twilio.request_validator import HMAC_SHA256, RequestValidator

from audience import door as audience
from delivery.door import address_hash, suppress, suppressed
from delivery.models import Suppression, VendorEvent
from delivery.states import AttemptState, MessageState
from governance import door as governance
from tests.delivery import sent as world
from tests.delivery.sent import sent, status, twilio

pytestmark = pytest.mark.django_db
OFFERS = {"channel": "sms", "topic": "offers", "message_class": "promotional"}
NUMBER = "+447911123400"


@pytest.fixture
def now() -> datetime:
    return timezone.now() - timedelta(seconds=5)


@pytest.fixture(autouse=True)
def _route(now: datetime, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("OMNI_SECRET_TWILIO_TOKEN", world.TWILIO_TOKEN)
    world.twilio_route(now=now)
    yield


def home() -> int:
    return governance.default_workspace().pk


def about(outgoing: world.Sent, n: int = 0) -> str:
    return f"message_id={outgoing.tokens[n]}"


def text(body: str, *, number: str = NUMBER, n: int = 1, token: str = world.TWILIO_TOKEN, **more: str) -> int:
    """Somebody texts us."""
    fields = {"MessageSid": f"SM{n:032x}", "From": number, "To": "+15550009999", "Body": body, "SmsStatus": "received", **more}
    return twilio(fields, token=token).status_code


def stopped(number: str = NUMBER) -> bool:
    hashed = address_hash(home(), "sms", number)
    return suppressed(home(), "sms", [hashed], message_class="transactional") == {hashed}


# ── status callbacks ──────────────────────────────────────────────────────────────────────────────────────────────


def test_callbacks_in_any_order_leave_the_highest_state(now: datetime) -> None:
    texts = sent(1, now=now, channel="sms")
    for word in ("delivered", "sent", "queued", "delivered"):
        assert twilio(status(texts, 0, word), query=about(texts)).status_code == 200
    assert texts.message().state == MessageState.DELIVERED and VendorEvent.objects.count() == 3


def test_a_callback_resolves_a_request_in_doubt_and_brings_its_id(now: datetime) -> None:
    texts = sent(1, now=now, channel="sms", state=AttemptState.IN_DOUBT)
    twilio(status(texts, 0, "sent", sid="SM" + "e" * 32), query=about(texts))
    assert (texts.attempt().state, texts.attempt().resolved_by, texts.attempt().vendor_id) == (AttemptState.SENT, "event", "SM" + "e" * 32)


def test_an_unknown_handset_is_suppressed_and_an_unreachable_one_is_not(now: datetime) -> None:
    texts = sent(2, now=now, channel="sms")
    twilio(status(texts, 0, "undelivered", "30005"), query=about(texts, 0))
    twilio(status(texts, 1, "undelivered", "30003"), query=about(texts, 1))
    assert [texts.message(n).state for n in (0, 1)] == [MessageState.BOUNCED, MessageState.BOUNCED]
    assert suppressed(home(), "sms", [texts.hash(0), texts.hash(1)]) == {texts.hash(0)}


def test_a_send_that_met_an_earlier_stop_fails_and_stops_here_too(now: datetime) -> None:
    texts = sent(1, now=now, channel="sms")
    twilio(status(texts, 0, "failed", "21610"), query=about(texts))
    assert texts.message().state == MessageState.FAILED and stopped("+447911123400")
    assert audience.consenting(home(), texts.people, **OFFERS, now=timezone.now()) == set()


def test_a_callback_about_another_message_of_the_account_is_an_orphan(now: datetime) -> None:
    texts = sent(1, now=now, channel="sms")
    assert twilio(status(texts, 0, "failed", "30005", sid="SM" + "f" * 32), query=about(texts)).status_code == 200
    assert texts.message().state == MessageState.SENDING and not Suppression.objects.exists()
    assert VendorEvent.objects.get().dispatch_id == 0


def test_an_earlier_attempt_of_the_same_message_still_speaks_for_it(now: datetime) -> None:
    texts = sent(1, now=now, channel="sms")
    first = texts.attempt()
    first.pk, first.vendor_id, first.state = None, "SM" + "c" * 32, AttemptState.SENT
    first.save()
    twilio(status(texts, 0, "delivered", sid="SM" + "c" * 32), query=about(texts))
    assert texts.message().state == MessageState.DELIVERED


def test_the_id_of_another_message_does_not_speak_for_this_one(now: datetime) -> None:
    texts = sent(2, now=now, channel="sms")
    twilio(status(texts, 1, "failed", "30005"), query=about(texts, 0))
    assert [texts.message(n).state for n in (0, 1)] == [MessageState.SENDING, MessageState.SENDING]


def test_forged_callbacks_change_nothing(now: datetime) -> None:
    texts = sent(1, now=now, channel="sms", state=AttemptState.IN_DOUBT)
    form = status(texts, 0, "failed", "30005")
    assert twilio(form, query=about(texts), token="somebody-else").status_code == 401
    signed = RequestValidator(world.TWILIO_TOKEN).compute_signature(
        f"http://127.0.0.1:8000/hooks/twilio?{about(texts)}", {**form, "ErrorCode": ""}
    )
    for headers in ({}, {"X-Twilio-Signature": signed}, {"X-Twilio-Signature": "é"}):
        body = urlencode(form).encode()
        answer = world.post(f"/hooks/twilio?{about(texts)}", body, "application/x-www-form-urlencoded", headers)
        assert answer.status_code == 401
    assert texts.message().state == MessageState.SENDING and texts.attempt().state == AttemptState.IN_DOUBT
    assert not VendorEvent.objects.exists() and not Suppression.objects.exists()


def test_json_and_the_newer_algorithm_are_understood(now: datetime) -> None:
    texts = sent(1, now=now, channel="sms")
    body = json.dumps(status(texts, 0, "delivered")).encode()
    url = f"/hooks/twilio?{about(texts)}&bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = RequestValidator(world.TWILIO_TOKEN).compute_signature(f"http://127.0.0.1:8000{url}", {}, HMAC_SHA256)
    headers = {"X-Twilio-Signature": signature, "X-Twilio-Webhooks-Signature-Settings": "key=k,algorithm=HMAC_SHA256"}
    assert world.post(url, body, "application/json", headers).status_code == 200
    assert texts.message().state == MessageState.DELIVERED
    assert world.post(url, body + b" ", "application/json", headers).status_code == 401


# ── people's words ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("body", ["STOP", "stop.", " Stop please", "ARRET", "OPT-OUT", "REVOKE", "🛑", "End", "quit", "Unsubscribe!"])
def test_every_way_to_say_stop_stops_everything_at_once(now: datetime, body: str) -> None:
    texts = sent(1, now=now, channel="sms")
    assert text(body) == 200 and stopped()
    assert audience.consenting(home(), texts.people, **OFFERS, now=timezone.now()) == set()


@pytest.mark.parametrize("body", ["I need help with the login", "when do you start?", "Don't stop me now", "thanks", ""])
def test_other_words_change_nothing_and_are_not_kept(now: datetime, body: str) -> None:
    sent(1, now=now, channel="sms")
    assert text(body) == 200 and not stopped()
    assert VendorEvent.objects.get().detail == "inbound text"


def test_the_vendors_own_reading_of_an_opt_out_counts(now: datetime) -> None:
    assert text("Bitte nichts mehr", OptOutType="STOP") == 200 and stopped()


def test_start_takes_the_own_stop_back(now: datetime) -> None:
    texts = sent(1, now=now, channel="sms")
    text("STOP", n=1)
    text("START", n=2)
    assert not stopped()
    assert audience.consenting(home(), texts.people, **OFFERS, now=timezone.now()) == set(texts.people)


def test_start_lifts_nothing_but_the_own_stop(now: datetime) -> None:
    sent(1, now=now, channel="sms")
    suppress(home(), "sms", NUMBER, reason="manual", source="console", now=now)
    text("START")
    assert stopped()


def test_an_old_start_that_is_repeated_does_not_undo_a_later_stop(now: datetime) -> None:
    sent(1, now=now, channel="sms")
    for word, n in (("STOP", 1), ("START", 2), ("STOP", 3), ("START", 2)):
        text(word, n=n)
    assert stopped()


def test_a_stop_from_a_number_nobody_has_is_remembered(now: datetime) -> None:
    assert text("STOP", number="+4915112345678") == 200 and stopped("+4915112345678")


def test_nobody_else_can_say_stop(now: datetime) -> None:
    assert text("STOP", token="somebody-else") == 401 and not stopped()


def test_a_field_name_that_no_database_stores_is_answered(now: datetime) -> None:
    assert twilio({"a\x00b": "x", "MessageStatus": "sent"}).status_code == 200
    assert VendorEvent.objects.get().kind == "unreadable"


# ── what they are told ────────────────────────────────────────────────────────────────────────────────────────────


def told(body: str, *, n: int = 1, **more: str) -> str:
    """The text that goes back to whoever wrote."""
    fields = {"MessageSid": f"SM{n:032x}", "From": NUMBER, "To": "+15550009999", "Body": body, "SmsStatus": "received", **more}
    answer = twilio(fields)
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/xml")
    return "".join(ElementTree.fromstring(answer.content).itertext())


def test_a_stop_that_the_vendor_does_not_know_is_confirmed_once(now: datetime) -> None:
    assert told("Abmelden") == "Default: Sie sind abgemeldet und erhalten keine Nachrichten mehr. Mit START erhalten Sie sie wieder."
    assert told("Abmelden") == "" and told("arrêter", n=2) == "", "a repeat, and a second wish, are not answered again"
    assert stopped()


@pytest.mark.parametrize(
    ("body", "more"), [("STOP", {}), ("help", {}), ("nichts mehr", {"OptOutType": "STOP"}), ("YES", {}), ("Hello", {})]
)
def test_what_the_vendor_answers_itself_is_not_answered_again(now: datetime, body: str, more: dict[str, str]) -> None:
    assert told(body, **more) == ""


def test_where_the_vendor_leaves_words_to_us_they_are_answered(now: datetime) -> None:
    world.twilio_route(now=now, answers_keywords=True, help_reply="Wayfare: help@wayfare.example, +353 1 555 0100 <any time>")
    assert told("STOP", n=1).startswith("Default: you are unsubscribed") and stopped()
    assert told("HELP", n=2) == "Wayfare: help@wayfare.example, +353 1 555 0100 <any time>"
    assert told("START", n=3).startswith("Default: you are subscribed again") and not stopped()
    assert told("START", n=4) == "", "nothing to take back, nothing to say"


def test_a_known_reader_is_answered_in_their_own_language(now: datetime) -> None:
    world.factories.profile(now=now, phone=NUMBER, locale="ja")
    assert "配信を停止しました" in told("Arrêter")
    assert "START" in told("aide", n=2) and "再開" in told("aide", n=3)


@pytest.mark.parametrize("body", ["I'll end up at the bar", "Don't stop!", "Quiero cancelar la reserva", "yes please"])
def test_a_word_in_a_sentence_stops_nothing(now: datetime, body: str) -> None:
    assert told(body) == "" and not stopped() and VendorEvent.objects.get().detail == "inbound text"
