"""Whatever way somebody takes out, the very next last look heeds it, though the message was planned before; what they were asked to confirm
is asked no more; and the proof of what they got before stays what it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audience import door as audience
from delivery import confirm_links
from delivery import door as delivery
from governance.door import User
from tests import factories as make
from tests.delivery import sent as world
from tests.delivery.conftest import Street
from tests.delivery.sent import Sent, event, sendgrid, sent, status, twilio
from tests.workflow.test_api import Api
from tests.workflow.test_double_opt_in import PLEASE

pytestmark = pytest.mark.django_db
NUMBER = "+447911123400"
Act = Callable[[Sent, audience.Person], object]


def one_click(mail: Sent, person: audience.Person) -> object:
    return Client(enforce_csrf_checks=True).post(f"/u/{mail.tokens[0]}", {"List-Unsubscribe": "One-Click"})


def page_of_the_link(mail: Sent, person: audience.Person) -> object:
    return Client(enforce_csrf_checks=True).post(f"/u/{mail.tokens[0]}", {"scope": "everything"})


def preference_page(mail: Sent, person: audience.Person) -> object:
    return Client(enforce_csrf_checks=True).post(f"/p/{mail.tokens[0]}", {"act": "leave"})


def one_by_one(mail: Sent, person: audience.Person) -> object:
    shown = ["email/offers", "email/news", "sms/offers", "sms/news"]
    return Client(enforce_csrf_checks=True).post(f"/p/{mail.tokens[0]}", {"act": "save", "shown": shown, "on": []})


def complaint(mail: Sent, person: audience.Person) -> object:
    now = timezone.now()
    return sendgrid([event(mail.tokens[0], "spamreport", now=now)], now=now)


def vendors_own_link(mail: Sent, person: audience.Person) -> object:
    now = timezone.now()
    return sendgrid([event(mail.tokens[0], "unsubscribe", now=now)], now=now)


def stop(mail: Sent, person: audience.Person) -> object:
    fields = {"From": NUMBER, "To": "+15550009999", "Body": "STOP", "MessageSid": "SM" + "f" * 32, "AccountSid": world.TWILIO_SID}
    return twilio(fields)


def refused_by_the_vendor_for_an_earlier_stop(mail: Sent, person: audience.Person) -> object:
    return twilio(status(mail, 0, "failed", "21610"), query=f"message_id={mail.tokens[0]}")


def api(mail: Sent, person: audience.Person) -> object:
    said = {"channel": mail.dispatch.channel, "topic": "*", "state": "unsubscribed", "source": "our own page"}
    return Api("profiles:write", "profiles:read").call("PUT", f"profiles/{person.external_id}/consents", said)


def api_suppression(mail: Sent, person: audience.Person) -> object:
    address = person.email if mail.dispatch.channel == "email" else person.phone
    return Api("profiles:write").call(
        "POST", "suppressions", {"channel": mail.dispatch.channel, "address": address, "reason": "wrote us a letter"}
    )


def console(mail: Sent, person: audience.Person) -> object:
    client = Client()
    client.force_login(User.objects.get(pk=make.person("ada", now=timezone.now()).user_id))
    return client.post("/console/delivery/suppression/", {"address": person.email, "reason": "asked us by phone"})


def erased(mail: Sent, person: audience.Person) -> object:
    return Api("profiles:write").call("DELETE", f"profiles/{person.external_id}", None)


DOORS: list[tuple[str, Act]] = [
    ("email", one_click),
    ("email", page_of_the_link),
    ("email", preference_page),
    ("email", one_by_one),
    ("email", complaint),
    ("email", vendors_own_link),
    ("email", api),
    ("email", api_suppression),
    ("email", console),
    ("email", erased),
    ("sms", one_click),
    ("sms", preference_page),
    ("sms", one_by_one),
    ("sms", stop),
    ("sms", refused_by_the_vendor_for_an_earlier_stop),
    ("sms", api),
    ("sms", api_suppression),
    ("sms", erased),
]


@pytest.fixture
def ready(street: Street, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Street:
    """Vendors may call, and news wants to be confirmed on both channels."""
    monkeypatch.setenv("OMNI_SECRET_TWILIO_TOKEN", world.TWILIO_TOKEN)
    webhook = {"sendgrid_webhook_key": world.public_key(world.KEY), "public_url": "http://127.0.0.1:8000"}
    settings.OMNI = settings.OMNI.model_copy(update=webhook)
    street.clock.at = timezone.now() - timedelta(seconds=30)
    now = street.clock()
    text = {"en": {"text": "Please confirm: {{ confirm_url }}"}}
    make.put("template", "please-email", make.template(**PLEASE), now=now)
    make.put("template", "please-sms", {**make.text_message(locales=text), "message_class": "transactional", "topic": None}, now=now)
    for channel in ("email", "sms"):
        body = {"title": "News", "channel": channel, "topics": ["news"], "confirm_with": f"please-{channel}"}
        make.in_force("opt_in", f"news-{channel}", body, now=now)
    street.route("sendgrid")
    world.twilio_route(now=now)
    return street


@pytest.mark.parametrize(("channel", "leave"), DOORS, ids=[f"{channel}: {act.__name__}" for channel, act in DOORS])
def test_who_leaves_by_this_door_gets_nothing_more(ready: Street, channel: str, leave: Act) -> None:
    mail = sent(1, now=ready.clock(), channel=channel)
    [who], about = mail.people, {"channel": channel, "topic": "news"}
    audience.set_consent(ready.workspace_id, [who], **about, state="subscribed", source="form", now=ready.clock())
    [person] = audience.load(ready.workspace_id, [who])
    [asked] = [each for each in audience.proof(ready.workspace_id, who) if each.state == "pending"]
    link = confirm_links.confirm_token(ready.workspace_id, channel, person, asked.number)
    before = delivery.permission(ready.workspace_id, mail.tokens[0])
    assert before.verdict == "agreed"
    planned = ready.launch([who], campaign_key="next", channel=channel)  # before they leave

    answer = leave(mail, person)
    assert getattr(answer, "status_code", 200) in (200, 201, 204, 302), answer
    ready.clock.at = timezone.now()
    ready.work()
    assert ready.vendor.accepted == []
    state, reason = ready.why(planned, who)
    assert state == "skipped" and reason in ("no_consent", "suppressed", "unreachable"), (state, reason)

    if leave is one_click:  # it is about the message's topic alone
        assert Client().get(f"/c/{link}").status_code == 200
    else:
        assert Client().post(f"/c/{link}").status_code in (404, 410), "what waited to be confirmed is over"
    after = delivery.permission(ready.workspace_id, mail.tokens[0])
    if leave is erased:
        assert (after.verdict, after.said) == ("erased", None)
    else:
        assert after == before, "what they got before was permitted by what they had said before"
