"""Real messages for the adapters: one template per channel, rendered for as many people as a test needs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from audience.door import Person
from delivery.adapters.base import Account, Attachment, OutgoingMessage, OutgoingRequest, Sender
from delivery.adapters.json_web_tokens import base64url
from delivery.adapters.registry import ADAPTERS
from delivery.adapters.webpush_encryption import public_bytes
from delivery.message_ids import message_ids
from presentation.door import Content, TemplateBody, compose_body
from rendering import door as rendering
from tests.adapters.vendors import webhook, webpush

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BASE = "https://omni.example.com"


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


RSA_KEY = rsa.generate_private_key(65_537, 2_048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
SERVICE_ACCOUNT = {
    "client_email": "omni@omni.iam.gserviceaccount.com",
    "private_key": pem(RSA_KEY),
    "token_uri": "https://oauth2.fcm.test/token",
    "project_id": "omni",
}
SENDGRID = Account("https://api.sendgrid.test", {"api_key": "SG.secret"}, {}, BASE)
TWILIO = Account("https://api.twilio.test", {"auth_token": "labtoken"}, {"account_sid": "AC" + "a" * 32}, BASE)
WHATSAPP = Account("https://graph.test", {"access_token": "EAAsecret", "app_secret": "s3cret"}, {"phone_number_id": "1055"}, BASE)
FCM = Account("https://fcm.test", {"service_account": json.dumps(SERVICE_ACCOUNT)}, {}, BASE, token="ya29.token")
WECHAT_SETTINGS = {"app_id": "wx0123456789abcdef"}
WECHAT_SECRETS = {"app_secret": "s3cret", "callback_token": "t0ken"}
WECHAT = Account("https://weixin.test", WECHAT_SECRETS, WECHAT_SETTINGS, BASE, token="lab_token")
APNS_SETTINGS = {"key_id": "ABC123DEFG", "team_id": "TEAM123456", "topic": "com.example.app"}
APNS = Account("https://apns.test", {"auth_key": pem(EC_KEY)}, APNS_SETTINGS, BASE)
WEBPUSH_SETTINGS = {"subject": "mailto:push@example.com", "push_services": ["push.test"]}
WEBPUSH = Account("https://push.test", {"vapid_private_key": pem(EC_KEY)}, WEBPUSH_SETTINGS, BASE)
WEBHOOK = Account("https://own.test/omni", {"signing_secret": webhook.SECRET}, {"url": "https://own.test/omni"}, BASE)
SES_SETTINGS = {"region": "eu-west-1", "topic_arn": "arn:aws:sns:eu-west-1:1234:ses"}
SES = Account(
    "https://email.eu-west-1.amazonaws.test",
    {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "wJalrXUtnFEMI"},
    SES_SETTINGS,
    BASE,
)
MAILGUN = Account("https://api.mailgun.test", {"api_key": "key-secret"}, {"domain": "mg.example.com"}, BASE)
POSTMARK = Account("https://api.postmark.test", {"server_token": "token-secret", "webhook_password": "hook-secret"}, {}, BASE)
RELAY = Account("smtp://relay.test:587", {"password": "s3cret"}, {"host": "relay.test", "username": "us"}, BASE)
OUTBOX = Account("outbox://")
ACCOUNTS = {
    "sendgrid": SENDGRID,
    "ses": SES,
    "mailgun": MAILGUN,
    "postmark": POSTMARK,
    "twilio": TWILIO,
    "whatsapp_cloud": WHATSAPP,
    "wechat": WECHAT,
    "fcm": FCM,
    "apns": APNS,
    "webpush": WEBPUSH,
    "webhook": WEBHOOK,
    "smtp": RELAY,
    "outbox": OUTBOX,
}
# The channel that a test writes for; a browser is addressed otherwise than an app.
CHANNEL = {key: sorted(found.channels)[0] for key, found in ADAPTERS.items()} | {"outbox": "email", "webpush": "webpush"}
DEAD = {  # addresses that a vendor refuses for good
    "sendgrid": "nobody",
    "ses": "nobody",
    "mailgun": "nobody",
    "postmark": "nobody",
    "twilio": "+150",
    "whatsapp_cloud": "+15550000026",
    "fcm": "unregistered-device",
    "apns": "unregistered-device",
    "wechat": "unsub-ann",
}
TOKENED = {"fcm", "wechat"}  # whose vendor wants a short-lived token
OPTIONS: dict[str, dict[str, Any]] = {"wechat": {"template": "T1", "data": {"first": "Hello"}, "url": "https://example.com"}}
DEFINITE: dict[tuple[str, str], str] = {("wechat", "http_503"): "transient"}  # where a vendor's words are clearer than silence


def account_at(key: str, url: str) -> Account:
    """The same account, at a vendor of a test. The short-lived token is to be fetched there."""
    account = replace(ACCOUNTS[key], base_url=url, token="")
    if key == "webpush":
        account = replace(account, settings={**account.settings, "push_services": [url]})
    if key == "fcm":
        account = replace(account, secrets={"service_account": json.dumps({**SERVICE_ACCOUNT, "token_uri": f"{url}/token"})})
    return account


def address_at(key: str, url: str) -> str:
    """An address that works at a vendor of a test, "" for the letter's own."""
    return subscription(f"{url}/webpush/ann") if key == "webpush" else ""


def subscription(endpoint: str) -> str:
    """As a browser writes it."""
    keys = {"p256dh": base64url(public_bytes(webpush.BROWSER.public_key())), "auth": base64url(webpush.SECRET)}
    return json.dumps({"endpoint": endpoint, "expirationTime": None, "keys": keys})


def dead_address(key: str, url: str) -> str | None:
    """An address that this vendor refuses for good; None: a service of one's own has no such thing."""
    if key == "webpush":
        return subscription(f"{url}/webpush/gone-ann")
    return DEAD.get(key)


def id_at_the_vendor(key: str, message: OutgoingMessage) -> str:
    """What the vendor must have noted as the message's id."""
    return message.message_id


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


def address(channel: str, person: Person) -> str:
    if channel == "email":
        return person.email or ""
    if channel == "webpush":
        return subscription(f"https://push.test/{person.id}")
    return (person.phone or "") if channel in ("sms", "whatsapp") else f"{channel}-{person.id}"


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
        out.append(OutgoingMessage(tokens[n], address(channel, people[n]), one, options=OPTIONS.get(channel, {})))
    return out


def substituted(channel: str = "email") -> rendering.Substituted:
    return rendering.substitution(compiled(channel).locales["en"])


def request(some: list[OutgoingMessage], channel: str = "email", **more: object) -> OutgoingRequest:
    sender = Sender("hello@example.com", "Wayfare") if channel == "email" else Sender("+15550009999")
    return OutgoingRequest(attempt_id=41, channel=channel, sender=sender, messages=some, at=AT, **more)  # type: ignore[arg-type]


def attachment(name: str) -> Attachment:
    return Attachment(name, "text/plain", b"Seat 12 of the hall")
