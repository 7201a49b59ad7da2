"""Real messages for the adapters: one template per channel, rendered for as many people as a test needs."""

from __future__ import annotations

from functools import lru_cache

from audience.door import Person
from delivery.adapters.base import Account, OutgoingMessage, OutgoingRequest, Sender
from delivery.message_ids import message_ids
from presentation.door import Content, TemplateBody, compose_body
from rendering import door as rendering

BASE = "https://omni.example.com"
SENDGRID = Account("https://api.sendgrid.test", {"api_key": "SG.secret"}, {}, BASE)
TWILIO = Account("https://api.twilio.test", {"auth_token": "labtoken"}, {"account_sid": "AC" + "a" * 32}, BASE)
OUTBOX = Account("outbox://")
ACCOUNTS = {"sendgrid": SENDGRID, "twilio": TWILIO, "outbox": OUTBOX}
CHANNEL = {"sendgrid": "email", "twilio": "sms", "outbox": "email"}

EMAIL = {
    "title": "Spring offers",
    "channel": "email",
    "message_class": "promotional",
    "topic": "offers",
    "sender": {"name": "Wayfare", "address": "hello@example.com"},
    "default_locale": "en",
    "variables": {
        "name": {"source": "attribute.first_name", "type": "text", "fallback": "there", "sample": "Ann"},
        "note": {"source": "attribute.note", "type": "text", "fallback": "-", "sample": "Hi"},
    },
    "locales": {
        "en": {
            "subject": "Spring is here, {{ name }}",
            "blocks": [
                {"type": "text", "id": "t", "text": "Hello {{ name }}, see [the offers](https://example.com/offers). {{ note }}"},
                {"type": "footer", "id": "f", "text": "[Unsubscribe]({{ unsubscribe_url }})", "address": "1 High Street, London"},
            ],
        }
    },
}
SMS = {
    "title": "Code",
    "channel": "sms",
    "message_class": "transactional",
    "sender": {"from": "+15550009999"},
    "default_locale": "en",
    "variables": {"name": {"source": "attribute.first_name", "type": "text", "fallback": "there", "sample": "Ann"}},
    "locales": {"en": {"text": "Hello {{ name }}: your code is 1234 €"}},
}


@lru_cache
def content(channel: str) -> Content:
    return compose_body("letter", TemplateBody.model_validate(EMAIL if channel == "email" else SMS))


@lru_cache
def compiled(channel: str) -> rendering.Compiled:
    return rendering.compile(content(channel), base_url=BASE)


def person(n: int, name: str = "", note: str = "-") -> Person:
    attributes = {"first_name": name or f"Änn {n}", "note": note}
    return Person(n, f"p{n}", f"p{n}@example.com", f"p{n}@example.com", f"+1555{n:07d}", "en", "GB", "Europe/London", attributes)


def messages(
    count: int, channel: str = "email", *, names: dict[int, str] | None = None, notes: dict[int, str] | None = None
) -> list[OutgoingMessage]:
    """The letter to people 0 … count - 1, as the send path hands it over."""
    tokens = message_ids(7, range(count))
    people = [person(n, (names or {}).get(n, ""), (notes or {}).get(n, "-")) for n in range(count)]
    recipients = [rendering.Recipient(n=n, profile=people[n], token=tokens[n]) for n in range(count)]
    filled = rendering.fill(compiled(channel), recipients)
    out = []
    for n, one in enumerate(filled):
        assert isinstance(one, rendering.Filled), one
        address = people[n].email if channel == "email" else people[n].phone
        out.append(OutgoingMessage(tokens[n], address or "", one))
    return out


def substituted(channel: str = "email") -> rendering.Substituted:
    return rendering.substitution(compiled(channel).locales["en"])


def request(some: list[OutgoingMessage], channel: str = "email", **more: object) -> OutgoingRequest:
    sender = Sender("hello@example.com", "Wayfare") if channel == "email" else Sender("+15550009999")
    return OutgoingRequest(attempt_id=41, channel=channel, sender=sender, messages=some, **more)  # type: ignore[arg-type]
