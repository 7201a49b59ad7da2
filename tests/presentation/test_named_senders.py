"""A template may name its sender by key: then the document says who writes, where answers go and where the firm is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from governance.door import Actor, Invalid, document, parse, save
from presentation.door import TemplateBody, compose_body, drafted
from presentation.senders import SenderBody, ascii_domain, domain_of
from tests.factories import mail_sender
from tests.presentation.letters import block, email

FOOTER = {"type": "footer", "id": "footer", "text": "You asked for this."}


def letter(footer: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A letter whose only footer this is."""
    return email(locales={"en": {"subject": "Hello", "preheader": "", "blocks": [block("text"), footer]}}, **changes)


def said(actor: Actor, kind: str, key: str, body: dict[str, Any], now: datetime) -> set[tuple[str, str]]:
    save(actor, kind, key, body, base=None, now=now)
    return {(found.level, found.path) for found in document(actor.workspace_id, kind, key).latest.findings}


@pytest.mark.django_db
def test_the_named_sender_says_who_writes_and_where_the_firm_is(administrator: Actor, now: datetime) -> None:
    save(administrator, "sender", "offers", mail_sender(), base=None, now=now)
    body = parse(TemplateBody, letter(FOOTER, sender="offers"))
    content = compose_body("letter", body, drafted(administrator.workspace_id, body))
    assert (content.sender.name, content.sender.address) == ("Wayfare Offers", "offers@mail.wayfare.example")
    assert content.reply_to == "help@wayfare.example"
    assert content.locales["en"].blocks[-1].address == "12 Harbour Street, Dublin"  # type: ignore[union-attr]
    assert content.addressless == []


@pytest.mark.django_db
def test_what_a_template_says_itself_wins_over_its_sender(administrator: Actor, now: datetime) -> None:
    save(administrator, "sender", "offers", mail_sender(), base=None, now=now)
    own = {**FOOTER, "address": "Another Street"}
    body = parse(TemplateBody, letter(own, sender="offers", reply_to="me@example.com"))
    content = compose_body("letter", body, drafted(administrator.workspace_id, body))
    assert (content.reply_to, content.locales["en"].blocks[-1].address) == ("me@example.com", "Another Street")  # type: ignore[union-attr]


@pytest.mark.django_db
def test_a_sender_that_is_not_there_or_of_another_channel_is_an_error(administrator: Actor, now: datetime) -> None:
    save(administrator, "sender", "texts", {"title": "Texts", "channel": "sms", "number": "Wayfare"}, base=None, now=now)
    footer = {**FOOTER, "address": "12 Harbour Street"}
    assert ("error", "/sender") in said(administrator, "template", "one", letter(footer, sender="nobody"), now)
    assert ("error", "/sender") in said(administrator, "template", "two", letter(footer, sender="texts"), now)


@pytest.mark.django_db
def test_a_footer_needs_an_address_of_somebody(administrator: Actor, now: datetime) -> None:
    save(administrator, "sender", "offers", mail_sender(postal_address=""), base=None, now=now)
    found = said(administrator, "template", "letter", letter(FOOTER, sender="offers"), now)
    assert ("error", "/locales/en/blocks/1/address") in found
    with pytest.raises(Invalid, match="the postal address, or a named sender that has one"):
        parse(TemplateBody, letter(FOOTER))


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"address": ""}, ("error", "/address")),
        ({"address": "wayfare@gmail.com"}, ("error", "/address")),
        ({"postal_address": ""}, ("warning", "/postal_address")),
        ({"dkim_selectors": []}, ("note", "/dkim_selectors")),
        ({"number": "+15005550006"}, ("warning", "/number")),
        ({"channel": "sms", "number": ""}, ("error", "/number")),
        ({"channel": "sms", "number": "Wayfare", "countries": ["DE", "US"]}, ("error", "/countries/1")),
        ({"channel": "sms", "number": "+15005550006", "countries": ["US"]}, ("error", "/registrations")),
        ({"channel": "push"}, ("error", "/id")),
    ],
)
@pytest.mark.django_db
def test_what_is_wrong_with_a_sender_is_said(
    administrator: Actor, now: datetime, changes: dict[str, Any], finding: tuple[str, str]
) -> None:
    assert finding in said(administrator, "sender", "one", mail_sender(**changes), now)


@pytest.mark.django_db
def test_a_registered_american_number_is_fine(administrator: Actor, now: datetime) -> None:
    body = {"title": "Texts", "channel": "sms", "number": "+15005550006", "countries": ["US"], "registrations": {"US": "CMP1234"}}
    assert said(administrator, "sender", "texts", body, now) == set()


def test_domains_are_known_as_dns_knows_them() -> None:
    assert ascii_domain(" Mail.Bücher.Example. ") == "mail.xn--bcher-kva.example"
    assert domain_of("ada@Example.COM") == "example.com" and domain_of("nobody") == ""
    for unfit in ("", "example", "a..b", "-a.example", "x" * 64 + ".example", "a b.example", "\ud800.example"):
        with pytest.raises(ValueError, match="a domain such as"):
            ascii_domain(unfit)


def test_a_senders_address_is_no_place_for_expressions() -> None:
    with pytest.raises(Invalid, match="fixed text"):
        parse(SenderBody, mail_sender(postal_address="{{ first_name }}"))
