"""One message because a user did something: decided at once, sent within moments, once per Idempotency-Key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any

from django.db import transaction

from audience import door as audience
from audience.door import Person
from delivery import door as delivery
from governance import door as governance
from governance.door import Actor, DoorError, Finding, Invalid, Missing, Refused, pointer
from rendering import door as rendering
from workflow import bells, content, fallbacks
from workflow.requests import MessageRequest, To

CLASSES = ("transactional", "service")
# Whatever changes who vouched for what moves the epoch. Only a body that was altered behind everybody's back doesn't: it is looked at
# again after so long, and till then the text that was read before goes out.
VOUCHED_FOR = timedelta(seconds=10)
_vouched: dict[tuple[int, str, tuple[str, str] | None], tuple[int, int, datetime]] = {}


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that will be sent. replayed: the key was used before with the same request; nothing new was decided."""

    message_id: str
    replayed: bool


@dataclass(frozen=True, slots=True)
class Template:
    """What a type stands for now. named: the revisions of what it names."""

    view: governance.RevisionView
    named: list[int]


def accept(actor: Actor, wanted: MessageRequest, *, idempotency_key: str | None, now: datetime) -> Accepted:
    """Decide one message, in one transaction with its key. Raises Invalid and Refused (same key, another request)."""
    workspace_id = actor.workspace_id
    epoch = actor.epoch if actor.epoch is not None else governance.epoch(workspace_id)
    template = _in_force(workspace_id, wanted.type, epoch, now)
    followers = [_in_force(workspace_id, step.type, epoch, now, at=f"/fallback/{place}") for place, step in enumerate(wanted.fallback)]
    once = None
    if idempotency_key is not None:
        once = delivery.Once(idempotency_key, hashlib.sha256(wanted.model_dump_json(exclude={"idempotency_key"}).encode()).hexdigest())
    try:
        with transaction.atomic():
            key = _accept(workspace_id, wanted, template, followers, once, now)
    except (delivery.AlreadyDecided, DoorError):  # what was accepted stays accepted, even where it would be refused by now
        known = delivery.decided(workspace_id, once) if once is not None else None
        if known is None:
            raise
        return Accepted(delivery.message_id(known.dispatch_id, known.n), replayed=True)
    return Accepted(delivery.message_id(key.dispatch_id, key.n), replayed=False)


def _accept(
    workspace_id: int,
    wanted: MessageRequest,
    template: Template,
    followers: Sequence[Template],
    once: delivery.Once | None,
    now: datetime,
) -> delivery.MessageKey:
    """The whole decision, in the caller's transaction. Raises AlreadyDecided where the key was used."""
    person = _recipient(workspace_id, wanted.to, template.view.model.channel, now, followed=bool(wanted.fallback))
    if wanted.attachments:
        _check_carries(workspace_id, template.view.model.channel)
    for needed in (template, *followers):
        _check_renders(workspace_id, needed, person, wanted.data)
    due = datetime.fromisoformat(wanted.send_at) if wanted.send_at else now
    expires = max(due, now) + timedelta(seconds=wanted.expires_in)
    new = delivery.NewDecision(person.id, wanted.data, due_at=due, expires_at=expires, files=_files(wanted))
    key = _decide(_standing(workspace_id, template, now), new, once, now)
    if wanted.fallback:
        fallbacks.begin(workspace_id, key, person.id, wanted.data, wanted.fallback, expires, max(due, now))
    return key


def decide_for(
    workspace_id: int,
    type_: str,
    profile_id: int,
    data: dict[str, Any],
    *,
    expires: datetime,
    now: datetime,
    approved_with: tuple[str, str] | None = None,
) -> delivery.MessageKey:
    """A message of another type for the same person, in the caller's transaction. Raises Invalid, Refused or Missing where that type
    isn't in force, can't be rendered, or the person has no address for it. approved_with: kind and key of a document that uses the
    template, whose approval is as good as its own."""
    template = _in_force(workspace_id, type_, governance.epoch(workspace_id), now, approved_with=approved_with)
    channel = template.view.model.channel
    people = audience.load(workspace_id, [profile_id])
    if not people or not _reachable(workspace_id, channel, people[0]):
        raise Refused(f"this person has no address for {channel}")
    _check_renders(workspace_id, template, people[0], data)
    new = delivery.NewDecision(profile_id, data, due_at=now, expires_at=expires)
    return _decide(_standing(workspace_id, template, now), new, None, now)


def _decide(of: delivery.Standing, new: delivery.NewDecision, once: delivery.Once | None, now: datetime) -> delivery.MessageKey:
    word = bells.notification("transactional")
    key = delivery.decide_one(of, new, once=once, now=now, notify=word)
    bells.ring(lane="transactional", notified=word is not None)
    return key


def _files(wanted: MessageRequest) -> list[delivery.Attachment]:
    return [delivery.Attachment(one.name, one.content_type, one.decoded(), one.content_id) for one in wanted.attachments]


def _check_carries(workspace_id: int, channel: str) -> None:
    """Raises Invalid where a vendor that may carry this channel takes no files."""
    if unable := delivery.without_attachments(workspace_id, channel):
        raise Invalid([Finding("error", "/attachments", f"{channel} by {', '.join(unable)}", "none: this way carries no files")])


def _in_force(
    workspace_id: int, type_: str, epoch: int, now: datetime, *, at: str = "", approved_with: tuple[str, str] | None = None
) -> Template:
    """The type's template, released, approved and of a class that may be sent so, with what it names. Raises Invalid, Refused or
    Missing."""
    template = _template(workspace_id, type_, epoch, at)
    _check_class(template, at)
    vouched = (workspace_id, type_, approved_with)
    known = _vouched.get(vouched)
    if known is None or known[:2] != (epoch, template.id) or not timedelta() <= now - known[2] < VOUCHED_FOR:
        if len(_vouched) > 1_000:
            _vouched.clear()
        if known is not None and known[:2] == (epoch, template.id):  # one looks again, the others needn't at the same moment
            _vouched[vouched] = (epoch, template.id, now)
        try:
            _approved(workspace_id, type_, approved_with, now)
        except BaseException:
            _vouched.pop(vouched, None)
            raise
        _vouched[vouched] = (epoch, template.id, now)
    return Template(template, [named.id for named in content.named_by(workspace_id, [template], epoch=epoch)])


def _approved(workspace_id: int, type_: str, approved_with: tuple[str, str] | None, now: datetime) -> None:
    """Raises Refused where nobody approved what the template says now, neither by itself nor with what uses it."""
    try:
        governance.approval(workspace_id, "template", type_, now=now)
    except Refused:
        if approved_with is None:
            raise
        governance.approval(workspace_id, *approved_with, now=now)


def _template(workspace_id: int, key: str, epoch: int, at: str) -> governance.RevisionView:
    """The type's template. Raises Invalid, with what it might have meant, where none is in force."""
    try:
        return governance.released(workspace_id, "template", key, epoch=epoch)
    except Missing:
        known = [view.key for view in governance.all_released(workspace_id, "template") if view.body.get("message_class") in CLASSES]
        near = get_close_matches(key, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise Invalid([Finding("error", f"{at}/type", key, f"a released template of class transactional or service{hint}")]) from None


def _check_class(template: governance.RevisionView, at: str) -> None:
    if template.model.message_class not in CLASSES:
        raise Refused(
            f"{template.key} is {template.model.message_class}",
            [Finding("error", f"{at}/type", template.key, "a released template of class transactional or service")],
        )


def _recipient(workspace_id: int, to: To, channel: str, now: datetime, *, followed: bool) -> Person:
    """The profile, made or brought up to date with what the caller said. Raises Invalid for a bad or missing address.

    followed: another channel follows; whoever has no device then is for that one, because devices come and go without the caller.
    """
    row = audience.ProfileRow(to.external_id, email=to.email, phone=to.phone, locale=to.locale, zone=to.zone)
    try:
        person = audience.upsert_one(workspace_id, row, now=now)
    except Invalid as bad:
        raise Invalid([Finding(each.level, "/to" + each.path, each.found, each.expected) for each in bad.findings]) from None
    if not _reachable(workspace_id, channel, person) and not (channel == "push" and followed):
        if channel == "push":
            raise Invalid([Finding("error", "/to", "nobody with a device", "a person with a device, or a fallback by another channel")])
        field = "email" if channel == "email" else "phone"
        raise Invalid([Finding("error", f"/to/{field}", "nothing", f"an address: this person has no {field} yet")])
    return person


def _reachable(workspace_id: int, channel: str, person: Person) -> bool:
    if channel == "push":
        audience.give_devices(workspace_id, [person])
    return bool(delivery.address_of(channel, person))


def _check_renders(workspace_id: int, template: Template, person: Person, data: Mapping[str, Any]) -> None:
    """A message that can't be rendered is the caller's to mend now, not a failure to find later."""
    message = content.would_render(workspace_id, template.view.id, person, data, pins=template.named)
    if isinstance(message, rendering.Failed):
        path, expected = _data_field(template.view.model.variables, message.detail)
        raise Invalid([Finding("error", path, message.detail, expected)])


def _data_field(variables: Mapping[str, Any], detail: str) -> tuple[str, str]:
    """The pointer of the datum that a variable reads, where the failure names that variable first, and what was expected of it."""
    variable = variables.get(detail.split(" ", 1)[0])
    if variable is None or not variable.source.startswith("data."):
        return "/data", "a value for every variable that has no fallback"
    return pointer(variable.source.split(".")), f"a {variable.type}"


def _standing(workspace_id: int, template: Template, now: datetime) -> delivery.Standing:
    body = template.view.model
    return delivery.Standing(
        workspace_id=workspace_id,
        kind="transactional",
        key=template.view.key,
        day=now.date(),
        template_revision_id=template.view.id,
        channel=body.channel,
        message_class=body.message_class,
        topic=body.topic or "",
        named=template.named,
    )
