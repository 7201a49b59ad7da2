"""Promotional mail as its bytes leave: what mailbox providers and laws ask of each one, whoever it goes to.

`OMNI_TEST_MAILS=1000` looks at more of them.
"""

from __future__ import annotations

import email
import email.policy
import os
from base64 import b64encode
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import parseaddr
from functools import cache
from typing import Any

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.adapters.base import Account, OutgoingMessage, OutgoingRequest, Sender
from delivery.adapters.smtp import Smtp
from governance.door import parse
from presentation.door import Named, TemplateBody, compose_body
from presentation.senders import SenderBody
from rendering import door as rendering
from tests.adapters.letters import Person
from tests.factories import letter, mail_sender, template

MANY = int(os.environ.get("OMNI_TEST_MAILS", "40"))
BASE, DOMAIN = "https://messages.wayfare.example", "mail.wayfare.example"
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ADDRESS = ("12 Harbour Street", "Dublin 2 · Éire")
FOOTER = {"type": "footer", "id": "footer", "text": "You asked for offers."}


@cache
def key() -> Any:
    return rsa.generate_private_key(public_exponent=65537, key_size=1024)  # a small one signs faster, and the bytes are alike


@cache
def relay() -> Account:
    private = key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    settings = {"host": "relay.test", "dkim_domain": DOMAIN, "dkim_selector": "omni"}
    return Account("smtp://relay.test:587", {"dkim_key": private}, settings)


def record(name: bytes, timeout: int = 5) -> bytes:
    """What DNS would say of our selector."""
    assert name == f"omni._domainkey.{DOMAIN}.".encode()
    return b"v=DKIM1; k=rsa; p=" + b64encode(key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@cache
def compiled() -> tuple[rendering.Compiled, Sender, str]:
    """Two languages from one sender, whose address stands in the footers that give none."""
    named = parse(SenderBody, mail_sender(postal_address="\n".join(ADDRESS)))
    english = letter("Hello {{ first_name }}")
    english["blocks"][-1] = FOOTER
    german = {**english, "subject": "Grüß Gott, {{ first_name }}"}
    body = parse(TemplateBody, template(sender="offers", locales={"en": english, "de": german}))
    content = compose_body("offer", body, Named(sender=named))
    sender = Sender(content.sender.address, content.sender.name)
    return rendering.compile(content, base_url=BASE), sender, content.reply_to or ""


def leaving(n: int, name: str, locale: str) -> bytes:
    """One person's mail, as a relay gets it."""
    whole, sender, reply_to = compiled()
    person = Person(n, f"p{n}", f"p{n}@example.com", f"p{n}@example.com", None, locale, "IE", "Europe/Dublin", {"first_name": name})
    [filled] = rendering.fill(whole, [rendering.Recipient(n, person, {}, token=f"token-{n}")])
    assert isinstance(filled, rendering.Filled)
    message = OutgoingMessage(filled.token, f"p{n}@example.com", filled, filled.headers)
    return Smtp().build(OutgoingRequest(n, "email", sender, [message], reply_to, at=AT), relay()).body


def words(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None, f"no {kind} part"
    return str(part.get_content())


@settings(max_examples=MANY)
@given(n=st.integers(0, 10**9), name=st.text(max_size=60), locale=st.sampled_from(["en", "de", "fr"]))
def test_every_promotional_mail_can_be_left_says_who_writes_and_is_signed(n: int, name: str, locale: str) -> None:
    raw = leaving(n, name, locale)
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(mail, EmailMessage) and not mail.defects

    assert mail.get_all("List-Unsubscribe") == [f"<{BASE}/u/token-{n}>"]
    assert mail.get_all("List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]
    assert parseaddr(str(mail["From"]))[1].rpartition("@")[2] == DOMAIN and len(mail.get_all("From") or ()) == 1
    assert parseaddr(str(mail["Reply-To"]))[1] == "help@wayfare.example"
    text, html = words(mail, "plain"), words(mail, "html")
    assert all(line in text and line in html for line in ADDRESS) and f"{BASE}/u/token-{n}" in text

    signature = dict(part.strip().partition("=")[::2] for part in str(mail["DKIM-Signature"]).replace("\r\n", "").split(";"))
    signed = "".join(signature["h"].split()).split(":")
    assert {"from", "list-unsubscribe", "list-unsubscribe-post", "subject", "to", "reply-to"} <= set(signed) and signed.count("from") == 2
    assert signature["d"] == DOMAIN and dkim.verify(raw, dnsfunc=record)
