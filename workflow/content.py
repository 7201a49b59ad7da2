"""Pinned content for leased work: compiled once per revision, filled per person."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.conf import settings

from audience import door as audience
from audience.door import Person
from delivery import door as delivery
from governance import door as governance
from governance.door import RevisionView
from optimization.door import Arm
from presentation import door as presentation
from presentation.door import Content
from rendering import door as rendering
from workflow import content_troubles, services


@lru_cache(maxsize=256)
def composed(workspace_id: int, revision_id: int, needed: tuple[int, ...]) -> Content:
    """What one template revision says, with those revisions of what it names. Immutable, so a process may keep it. Raises Missing."""
    template = governance.revision_by_id(workspace_id, revision_id)
    return presentation.compose(workspace_id, template.key, revision_id=revision_id, needed=needed)


@lru_cache(maxsize=256)
def compiled(workspace_id: int, revision_id: int, needed: tuple[int, ...]) -> rendering.Compiled:
    """The compiled form of the same. Raises Missing, and Invalid where it can't be compiled."""
    return rendering.compile(composed(workspace_id, revision_id, needed), base_url=settings.OMNI.public_url)


@lru_cache(maxsize=2048)
def program(
    workspace_id: int, revision_id: int, needed: tuple[int, ...], variant: int, locale: str, shape: rendering.Shape
) -> delivery.Program:
    """What all messages of one template, variant, locale and shape share; the same object each time, so they share vendor requests."""
    content = composed(workspace_id, revision_id, needed)
    message = compiled(workspace_id, revision_id, needed).locales[locale].shaped(shape)
    return delivery.Program(
        variant=variant,
        locale=locale,
        sender=delivery.Sender(address=content.sender.address or content.sender.number, name=content.sender.name),
        reply_to=content.reply_to or "",
        substituted=rendering.substitution(message) if message.html is not None else None,
        ttl=content.ttl,
    )


def arms(experiment: Mapping[str, Any] | None) -> list[Arm]:
    """The experiment's arms as optimization weighs them."""
    return [Arm(arm["key"], arm["weight"]) for arm in (experiment or {}).get("arms", [])]


def revision_of(experiment: Mapping[str, Any] | None, template_revision_id: int | None, variant: int) -> int:
    """The template revision that a variant of a dispatch is pinned to."""
    found = experiment["arms"][variant]["revision_id"] if experiment else template_revision_id
    assert found is not None, "every dispatch pins a template"
    return int(found)


def fill(work: delivery.Work, people: Mapping[int, Person], choices: Sequence[int], *, now: datetime) -> list[delivery.Outgoing]:
    """Every entry as a message, or with the reason why it can't be one. People who are gone are left out: delivery records them."""
    tokens = delivery.message_ids(work.dispatch.id, [entry.n for entry in work.entries])
    groups: dict[int, list[tuple[delivery.Entry, Person, str]]] = {}
    for variant, entry, token in zip(choices, work.entries, tokens, strict=True):
        person = people.get(entry.profile_id)
        if person is not None:
            groups.setdefault(variant, []).append((entry, person, token))
    parts = [_part(work, variant, group) for variant, group in groups.items()]
    amiss = services.give(_wanted(parts), within=services.within_lease(work.dispatch.message_class))
    content_troubles.count(work.workspace_id, work.dispatch.id, amiss.counts, now=now)
    return [message for part in parts for message in _filled(work, part, amiss)]


@dataclass(frozen=True, slots=True)
class _Part:
    """The people of a piece of work who get the same variant, as rendering takes them."""

    variant: int
    revision_id: int
    needed: tuple[int, ...]
    whole: rendering.Compiled
    sources: Sequence[presentation.Source]
    people: Sequence[Person]
    recipients: Sequence[rendering.Recipient]


def _part(work: delivery.Work, variant: int, group: Sequence[tuple[delivery.Entry, Person, str]]) -> _Part:
    workspace_id, dispatch = work.workspace_id, work.dispatch
    revision_id = revision_of(dispatch.experiment, dispatch.template_revision_id, variant)
    needed = presentation.among(workspace_id, revision_id, dispatch.pins)
    sources = presentation.sources_among(workspace_id, composed(workspace_id, revision_id, needed).source_keys, dispatch.pins)
    whole, people = compiled(workspace_id, revision_id, needed), [person for _, person, _ in group]
    audience.give_records(workspace_id, people, whole.record_types | services.record_types(sources))
    recipients = [
        rendering.Recipient(entry.n, person, entry.payload or {}, token, confirm_token=_confirms(work, entry, person))
        for entry, person, token in group
    ]
    return _Part(variant, revision_id, needed, whole, sources, people, recipients)


def _wanted(parts: Sequence[_Part]) -> services.Wanted:
    """Each source once, with everybody whose variant reads it."""
    wanted: dict[Hashable, tuple[presentation.Source, list[rendering.Recipient]]] = {}
    for part in parts:
        for source in part.sources:
            wanted.setdefault(source.identity, (source, []))[1].extend(part.recipients)
    return list(wanted.values())


def _filled(work: delivery.Work, part: _Part, amiss: services.Amiss) -> list[delivery.Outgoing]:
    workspace_id, whole, variant = work.workspace_id, part.whole, part.variant
    revision_id, needed = part.revision_id, part.needed
    made = rendering.fill(whole, part.recipients)
    programs = {
        (locale, shape): program(workspace_id, revision_id, needed, variant, locale, shape)
        for locale, shape in {(whole.default_locale, whole.locales[whole.default_locale].shape), *_forms(made)}
    }
    texts = whole.channel == "sms"
    outgoing = []
    for person, message in zip(part.people, made, strict=True):
        if isinstance(message, rendering.Failed):
            shared = programs[whole.default_locale, whole.locales[whole.default_locale].shape]
            why = amiss.explained(message).detail
            outgoing.append(delivery.Outgoing(message.n, person, None, shared, failure=why, variant=variant))
            continue
        parts = rendering.sms_parts(message.text.decode()).parts if texts else 1
        shared = programs[message.locale, message.message.shape]
        outgoing.append(delivery.Outgoing(message.n, person, message, shared, "", variant, parts))
    return outgoing


def _confirms(work: delivery.Work, entry: delivery.Entry, person: Person) -> str:
    """The token of what this message asks its reader to confirm; "" of nearly all."""
    number = entry.payload.get(delivery.CONFIRMS) if entry.payload else None
    return delivery.confirm_token(work.workspace_id, work.dispatch.channel, person, number) if isinstance(number, int) else ""


def _forms(made: Sequence[rendering.Filled | rendering.Failed]) -> set[tuple[str, rendering.Shape]]:
    return {(message.locale, message.message.shape) for message in made if isinstance(message, rendering.Filled)}


def named_by(
    workspace_id: int,
    templates: Sequence[RevisionView],
    *,
    dress: presentation.Override | None = None,
    draft: bool = False,
    epoch: int | None = None,
) -> list[RevisionView]:
    """What these templates name (senders, themes, fragments), the theme that they wear instead, and the content sources that all of
    these read, as released (at an epoch that was just read) or as drafted. Raises Missing."""

    def read(kind: str, key: str) -> RevisionView:
        return governance.document(workspace_id, kind, key).latest if draft else governance.released(workspace_id, kind, key, epoch=epoch)

    named = [read(kind, key) for kind, key in presentation.named_documents([view.model for view in templates], dress)]
    return [*named, *(read("content_source", key) for key in presentation.sources_named([*templates, *named]))]


def planned_mails(
    workspace_id: int, paths: Sequence[str], templates: Sequence[RevisionView], pins: Sequence[int]
) -> list[delivery.PlannedMail]:
    """What delivery asks about each template of a mail campaign before it lets it go. paths: where the campaign names them."""
    if not templates or templates[0].model.channel != "email":
        return []
    needed = [presentation.among(workspace_id, template.id, tuple(pins)) for template in templates]
    return [
        delivery.planned_mail(path, composed(workspace_id, template.id, each))
        for path, template, each in zip(paths, templates, needed, strict=True)
    ]


Made = rendering.Filled | rendering.Failed


def sample(
    workspace_id: int, revision_id: int, person: Person, data: Mapping[str, Any] | None = None, *, pins: Sequence[int] | None = None
) -> Made:
    """One person's message as it would be sent, with links that lead nowhere. pins: among which is what the template names and reads;
    None: as in force."""
    return samples(workspace_id, revision_id, [person], data, pins=pins)[0]


def samples(
    workspace_id: int,
    revision_id: int,
    people: Sequence[Person],
    data: Mapping[str, Any] | None = None,
    *,
    pins: Sequence[int] | None = None,
) -> list[Made]:
    """The same for several people, whose content is asked for at once; samples stand for it where they are shown to a viewer."""
    if pins is None:
        pins = [view.id for view in named_by(workspace_id, [governance.revision_by_id(workspace_id, revision_id)])]
    needed = presentation.among(workspace_id, revision_id, tuple(pins))
    whole = compiled(workspace_id, revision_id, needed)
    sources = presentation.sources_among(workspace_id, composed(workspace_id, revision_id, needed).source_keys, tuple(pins))
    audience.give_records(workspace_id, people, whole.record_types | services.record_types(sources))
    recipients = [rendering.Recipient(n, person, data or {}, token="sample") for n, person in enumerate(people)]
    if sources and any(map(services.hidden, people)):
        return rendering.fill(rendering.without_content(whole), recipients)
    amiss = services.give([(source, recipients) for source in sources], within=services.LOOKS_WITHIN)
    made = rendering.fill(whole, recipients)
    return [amiss.explained(message) if isinstance(message, rendering.Failed) else message for message in made]


def would_render(workspace_id: int, revision_id: int, person: Person, data: Mapping[str, Any], *, pins: Sequence[int]) -> Made:
    """Whether what is known by now makes a message: what content sources will say isn't, and samples stand for it."""
    whole = compiled(workspace_id, revision_id, presentation.among(workspace_id, revision_id, tuple(pins)))
    audience.give_records(workspace_id, [person], whole.record_types)
    return rendering.fill(rendering.without_content(whole), [rendering.Recipient(0, person, data, token="sample")])[0]


def link_target(
    workspace_id: int, revision_id: int, pins: Sequence[int], person: Person | None, data: Mapping[str, Any], k: int
) -> str | None:
    """Where link k of one person's message leads, by its pinned revisions; None where there is no such link."""
    whole = compiled(workspace_id, revision_id, presentation.among(workspace_id, revision_id, tuple(pins)))
    audience.give_records(workspace_id, [person] if person is not None else [], whole.record_types)
    recipient = rendering.Recipient(0, person, data)
    return rendering.link_target(whole, whole.locale_for(recipient.wanted), k, recipient)
