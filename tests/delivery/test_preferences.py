"""The preference page behind a message's link: what somebody sees, switches and leaves, and what a stranger learns (nothing)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audience import door as audience
from audience.models import ConfirmationFeed
from delivery.confirm_links import confirm_token
from delivery.confirm_words import CONFIRM_WORDS
from delivery.door import message_id, suppress, suppressed
from delivery.models import Suppression, VendorEvent
from delivery.preference_words import PREFERENCE_WORDS
from delivery.public_words import WORDS
from governance import door as governance
from tests import factories
from tests.delivery.sent import Sent, sent

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> datetime:
    return timezone.now() - timedelta(seconds=5)


def home() -> int:
    return governance.default_workspace().pk


def written(now: datetime, **classes: str) -> None:
    """Released templates of these topics and classes."""
    for topic, message_class in classes.items():
        body = factories.template(topic=topic, message_class=message_class, variables={}, locales={"en": factories.letter("Hi", "Spring")})
        factories.in_force("template", f"about-{topic}", body, now=now)


def release_sender(key: str, name: str, now: datetime) -> None:
    factories.put("sender", key, factories.mail_sender(name=name), now=now, author="cleo")
    factories.release("sender", key, now=now, author="cleo")


def switches(mail: Sent, **query: str) -> dict[str, bool]:
    """What the page shows, and whether it is on."""
    page = Client().get(f"/p/{mail.tokens[0]}", query).content.decode()
    boxes = re.findall(r'<input type="checkbox"[^>]*value="([^"]+)"( checked)?', page)
    return {value: bool(checked) for value, checked in boxes}


def save(mail: Sent, *on: str, shown: list[str] | None = None, act: str = "save") -> str:
    given = {"on": list(on), "shown": list(switches(mail)) if shown is None else shown, "act": act}
    answer = Client(enforce_csrf_checks=True).post(f"/p/{mail.tokens[0]}", given)
    assert answer.status_code == 200 and not answer.cookies
    return answer.content.decode()


def ledger(mail: Sent) -> list[tuple[str, str, str, str]]:
    said = audience.proof(home(), mail.people[0])
    return [(each.channel, each.topic, each.state, each.source) for each in reversed(said) if each.source.startswith("omni:")]


def may_write(mail: Sent, topic: str, channel: str = "email", message_class: str = "promotional") -> bool:
    return bool(audience.consenting(home(), mail.people[:1], channel=channel, topic=topic, message_class=message_class, now=timezone.now()))


def test_the_page_shows_every_topic_of_the_channel_and_what_is_on(now: datetime) -> None:
    written(now, travel_tips="promotional", trips="service")
    mail = sent(1, now=now)
    assert switches(mail) == {"email/offers": True, "email/travel_tips": False, "email/trips": True}
    assert "Travel tips" in Client().get(f"/p/{mail.tokens[0]}").content.decode()


def test_where_the_template_names_no_sender_the_page_says_whom_the_released_senders_agree_on(now: datetime) -> None:
    mail = sent(1, now=now)

    def said(name: str) -> bool:
        return PREFERENCE_WORDS["en"].question.format(sender=name) in Client().get(f"/p/{mail.tokens[0]}").content.decode()

    assert said(governance.default_workspace().name)
    release_sender("news", "Wayfare", now)
    assert said("Wayfare")
    release_sender("shop", "Wayfare Shop", now)
    assert said(governance.default_workspace().name), "two names: nobody knows which of them wrote"


def test_looking_changes_nothing(now: datetime) -> None:
    mail = sent(1, now=now)
    Client().get(f"/p/{mail.tokens[0]}?act=leave&on=&shown=email/offers")
    Client().head(f"/p/{mail.tokens[0]}")
    assert may_write(mail, "offers") and ledger(mail) == [] and not VendorEvent.objects.exists()


def test_switching_one_topic_off_leaves_the_others_and_is_in_the_ledger(now: datetime) -> None:
    written(now, trips="service")
    mail = sent(1, now=now)
    page = save(mail, "email/trips")
    assert PREFERENCE_WORDS["en"].saved in page and switches(mail) == {"email/offers": False, "email/trips": True}
    assert ledger(mail) == [("email", "offers", "unsubscribed", "omni:preferences")]
    assert VendorEvent.objects.filter(kind="unsubscribed", n=0).count() == 1, "the run that wrote the message counts it"


def test_switching_a_topic_on_keeps_the_wording_that_was_agreed_to(now: datetime) -> None:
    written(now, trips="promotional")
    mail = sent(1, now=now)
    save(mail, "email/offers", "email/trips")
    assert may_write(mail, "trips") and ledger(mail) == [("email", "trips", "subscribed", "omni:preferences")]
    agreed = audience.proof(home(), mail.people[0])[0]
    assert agreed.wording == f"Choose what you would like to receive from {governance.default_workspace().name}."


def test_saving_again_writes_nothing_again(now: datetime) -> None:
    mail = sent(1, now=now)
    for _ in range(2):
        save(mail)
    assert len(ledger(mail)) == 1 and VendorEvent.objects.count() == 1


def test_what_the_page_did_not_show_is_not_changed_by_it(now: datetime) -> None:
    mail = sent(1, now=now)
    save(mail, shown=[])
    save(mail, "email/secret", "sms/offers", "nonsense", shown=["email/secret", "sms/offers", "nonsense"])
    assert ledger(mail) == [] and may_write(mail, "offers") and not may_write(mail, "secret")


def test_another_channel_that_somebody_subscribed_on_is_there_too(now: datetime) -> None:
    consents = (("email", "offers", "subscribed"), ("sms", "alerts", "subscribed"))
    mail = sent(1, now=now)
    external = audience.load(home(), mail.people)[0].external_id
    row = audience.ProfileRow(external_id=external, phone="+447911123499", consents=consents)
    audience.upsert(home(), [row], source="tests", now=now)
    assert switches(mail) == {"email/offers": True, "sms/alerts": True}
    save(mail, "email/offers")
    assert not may_write(mail, "alerts", "sms") and may_write(mail, "offers") and not VendorEvent.objects.exists()
    save(mail, act="leave")
    assert switches(mail) == {"email/offers": False, "sms/alerts": False}
    assert not may_write(mail, "alerts", "sms", "service"), "everything is left on every channel"


def test_leaving_everything_stops_marketing_and_choosing_again_takes_that_back(now: datetime) -> None:
    written(now, trips="promotional")
    mail = sent(1, now=now)
    assert PREFERENCE_WORDS["en"].left.format(sender=governance.default_workspace().name) in save(mail, "email/offers", act="leave")
    assert suppressed(home(), "email", [mail.hash()]) == {mail.hash()} and set(switches(mail).values()) == {False}
    save(mail, "email/trips")
    assert suppressed(home(), "email", [mail.hash()]) == set()
    assert may_write(mail, "trips") and not may_write(mail, "offers"), "only what was chosen comes back"


@pytest.mark.parametrize("reason", ["complained", "bounced", "stopped", "manual", "imported"])
def test_nothing_here_lifts_what_somebody_else_decided(now: datetime, reason: str) -> None:
    mail = sent(1, now=now)
    address = audience.load(home(), mail.people)[0].email or ""
    suppress(home(), "email", address, reason=reason, source="tests", now=now)
    page = Client().get(f"/p/{mail.tokens[0]}").content.decode()
    assert "<fieldset disabled>" in page and "We no longer write to this address" in page
    save(mail, "email/offers")
    assert Suppression.objects.get().reason == reason and ledger(mail) == []


def test_the_pages_never_show_the_whole_address(now: datetime) -> None:
    mail = sent(1, now=now)
    address = audience.load(home(), mail.people)[0].email or ""
    for place in ("p", "u"):
        page = Client().get(f"/{place}/{mail.tokens[0]}").content.decode()
        assert address not in page and address.partition("@")[0] not in page and f"{address[0]}…@e….com" in page


def test_every_unknown_token_gets_the_same_answer_for_the_same_work(now: datetime) -> None:
    mail = sent(1, now=now)
    token = mail.tokens[0]
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")
    seen = set()
    for one in (forged, token[:-1], "x", "a" * 200, message_id(2**40, 1)):
        for method in ("get", "post"):
            with CaptureQueriesContext(connection) as asked:
                answer = getattr(Client(), method)(f"/p/{one}")
            seen.add((answer.status_code, answer.content, len(asked)))
    assert len(seen) == 1 and {status for status, _, _ in seen} == {404}


def test_somebody_who_was_forgotten_has_no_page(now: datetime) -> None:
    mail = sent(1, now=now)
    audience.erase(factories.person("cleo", now=now), audience.load(home(), mail.people)[0].external_id, now=now)
    assert Client().get(f"/p/{mail.tokens[0]}").content == Client().get("/p/x").content


@pytest.mark.parametrize("language", WORDS)
def test_the_language_can_be_switched_and_stays(now: datetime, language: str) -> None:
    mail = sent(1, now=now)
    page = Client().get(f"/p/{mail.tokens[0]}?lang={language}").content.decode()
    say, words = PREFERENCE_WORDS[language], WORDS[language]
    assert f'<html lang="{language}" dir="{words.direction}">' in page and say.save in page and words.still in page
    assert f'action="/p/{mail.tokens[0]}?lang={language}"' in page
    assert all(f'href="?lang={other}"' in page for other in WORDS)
    assert f'href="/p/{mail.tokens[0]}?lang={language}"' in Client().get(f"/u/{mail.tokens[0]}?lang={language}").content.decode()


def test_a_body_that_nobody_can_read_changes_nothing(now: datetime) -> None:
    mail = sent(1, now=now)
    for kind in ("application/json", "multipart/form-data; boundary=x", "multipart/form-data", ""):
        assert Client().post(f"/p/{mail.tokens[0]}", b"--x\r\nnonsense", content_type=kind).status_code == 200
    assert ledger(mail) == []


def test_the_page_needs_no_script_no_cookie_and_no_other_host(now: datetime) -> None:
    mail = sent(1, now=now)
    answer = Client().get(f"/p/{mail.tokens[0]}")
    page = answer.content.decode()
    assert "<script" not in page and " style=" not in page and not answer.cookies
    assert not re.search(r"(?:href|src|action)=\"(?:https?:)?//", page)
    assert answer.headers["Referrer-Policy"] == "no-referrer" and "no-store" in answer.headers["Cache-Control"]


# ── topics that want to be confirmed ──────────────────────────────────────────────────────────────────────────────


def wants_confirming(now: datetime, *topics: str) -> None:
    link = {"subject": "Please", "blocks": [{"type": "text", "id": "ask", "text": "[Confirm]({{ confirm_url }})"}]}
    body = factories.template(message_class="transactional", topic=None, variables={}, locales={"en": link})
    factories.put("template", "please", body, now=now)
    declared = {"title": "Confirmed", "channel": "email", "topics": list(topics), "confirm_with": "please"}
    factories.in_force("opt_in", "confirmed", declared, now=now)


def test_a_topic_that_wants_to_be_confirmed_waits_and_says_so(now: datetime) -> None:
    written(now, trips="promotional")
    wants_confirming(now, "trips")
    mail = sent(1, now=now)
    page = save(mail, "email/offers", "email/trips")
    assert CONFIRM_WORDS["en"].waits in page and switches(mail) == {"email/offers": True, "email/trips": True}
    assert not may_write(mail, "trips") and ledger(mail) == [("email", "trips", "pending", "omni:preferences")]
    save(mail, "email/offers", "email/trips")
    assert len(ledger(mail)) == 1 and ConfirmationFeed.objects.count() == 1, "saving again asks nothing again"
    save(mail, "email/offers")
    assert ledger(mail)[-1] == ("email", "trips", "unsubscribed", "omni:preferences"), "switched off, it waits no longer"
    assert CONFIRM_WORDS["en"].waits not in Client().get(f"/p/{mail.tokens[0]}").content.decode()


@pytest.mark.parametrize("agreed_before", [True, False])
def test_who_left_everything_is_asked_once_and_gets_nothing_before_the_answer(now: datetime, agreed_before: bool) -> None:
    mail = sent(1, now=now)
    wants_confirming(now, "*")
    save(mail, *(["email/offers"] if agreed_before else []))
    save(mail, act="leave")
    save(mail, "email/offers")
    assert ConfirmationFeed.objects.count() == 1
    assert not may_write(mail, "offers") and not may_write(mail, "offers", message_class="service")
    [person] = audience.load(home(), mail.people[:1])
    number = ConfirmationFeed.objects.get().entry_id
    assert Client().post(f"/c/{confirm_token(home(), 'email', person, number)}").status_code == 200
    assert may_write(mail, "offers") and not Suppression.objects.exists()
