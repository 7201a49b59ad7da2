"""Looking at a saved template through somebody's eyes, and sending it to oneself: the same by page and by API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings

from audience import door as audience
from delivery import door as delivery
from governance import door as governance
from governance.door import Actor, Finding, Invalid, Refused
from presentation import door as presentation
from presentation.door import Content, TemplateBody
from rendering import door as rendering
from workflow import services


def look(revision: governance.RevisionView, person: audience.Person | None, locale: str) -> tuple[Content, rendering.Preview]:
    """A template's revision as this person gets it, or with samples for nobody; a fragment's as a letter of nothing else, a theme's
    as a letter that wears it. Raises Invalid where it can't be shown."""
    as_letter: dict[str, Callable[[Any], TemplateBody]] = {"fragment": presentation.alone, "theme": presentation.dressed}
    body = as_letter.get(revision.kind, _itself)(revision.model)
    body = presentation.as_pseudo(body, locale)
    content = presentation.compose_body(revision.key, body, presentation.drafted(revision.workspace_id, body))
    return content, seen(revision.workspace_id, content, person, locale)


def seen(workspace_id: int, content: Content, person: audience.Person | None, locale: str) -> rendering.Preview:
    """The same of content that may not be saved, with what its sources as drafted say. Raises Invalid where it can't be shown."""
    sources = presentation.drafted_sources(workspace_id, content.source_keys)
    types = content.record_types | services.record_types(sources)
    audience.give_records(workspace_id, [person] if person is not None else [], types)
    if sources and services.hidden(person):
        return rendering.preview(rendering.without_content(content), person, {}, locale, remarks=[services.HIDDEN])
    told, remarks = services.look(content, sources, person)
    return rendering.preview(content, person, {}, locale, told=told, remarks=remarks)


def _itself(body: TemplateBody) -> TemplateBody:
    return body


def send_to_oneself(
    actor: Actor,
    content: Content,
    made: rendering.Preview,
    person: audience.Person | None,
    *,
    email: str,
    phone: str,
    now: datetime,
) -> tuple[delivery.Trial, str]:
    """The test's outcome and the address it went to. person: whose data it shows.

    Only the actor's own e-mail address, the device of the profile that has it, and for SMS a number that the instance allows, is ever
    written to. Raises Invalid, Refused, Missing.
    """
    if content.channel == "push":
        return _to_own_device(actor, content, made, person, email, now)
    address = email if content.channel == "email" else phone.strip()
    if not address:
        expected = "your own e-mail address: ask an admin to add it under People" if content.channel == "email" else "a phone number"
        raise Invalid([Finding("error", "/address", "nothing", expected)])
    if content.channel == "sms":
        address = _allowed_phone(address)
    outcome = delivery.send_test(
        actor,
        made,
        channel=content.channel,
        address=address,
        sender=delivery.Sender(address=content.sender.address or content.sender.number, name=content.sender.name),
        subject=f"template:{content.key}",
        reply_to=content.reply_to or "",
        now=now,
        about=person.id if person else None,
    )
    return outcome, address


def _to_own_device(
    actor: Actor, content: Content, made: rendering.Preview, person: audience.Person | None, email: str, now: datetime
) -> tuple[delivery.Trial, str]:
    """To the device seen last of the profile that has the actor's own e-mail address."""
    own = audience.find(actor.workspace_id, address=email) if email else None
    audience.give_devices(actor.workspace_id, [own] if own else [])
    if own is None or not own.devices:
        raise Invalid([Finding("error", "/address", "nothing", "a profile with your own e-mail address, and a device of its own")])
    outcome = delivery.send_test(
        actor,
        made,
        channel="push",
        address=own.devices[0].text,
        platform=own.devices[0].platform,
        known_by=email,
        sender=delivery.Sender(address="", name=""),
        subject=f"template:{content.key}",
        now=now,
        about=person.id if person else None,
    )
    return outcome, f"your device {own.devices[0].ending}"


def _allowed_phone(text: str) -> str:
    try:
        number = audience.phone_number(text)
    except audience.BadAddress as error:
        raise Invalid([Finding("error", "/test_phone", "that number", str(error))]) from None
    if settings.OMNI.env == "production":
        listed = [entry.strip() for entry in settings.OMNI.allowed_recipients.split(",") if entry.strip()]
        if number not in listed:
            raise Refused("in production a test goes only to numbers in OMNI_ALLOWED_RECIPIENTS")
    return number
