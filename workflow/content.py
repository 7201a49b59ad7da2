"""Pinned content for leased work: compiled once per revision, filled per person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def fill(work: delivery.Work, people: Mapping[int, Person], choices: Sequence[int]) -> list[delivery.Outgoing]:
    """Every entry as a message, or with the reason why it can't be one. People who are gone are left out: delivery records them."""
    tokens = delivery.message_ids(work.dispatch.id, [entry.n for entry in work.entries])
    groups: dict[int, list[tuple[delivery.Entry, Person, str]]] = {}
    for variant, entry, token in zip(choices, work.entries, tokens, strict=True):
        person = people.get(entry.profile_id)
        if person is not None:
            groups.setdefault(variant, []).append((entry, person, token))
    return [message for variant, group in groups.items() for message in _fill_variant(work, variant, group)]


def _fill_variant(work: delivery.Work, variant: int, group: list[tuple[delivery.Entry, Person, str]]) -> list[delivery.Outgoing]:
    workspace_id, dispatch = work.workspace_id, work.dispatch
    revision_id = revision_of(dispatch.experiment, dispatch.template_revision_id, variant)
    needed = presentation.among(workspace_id, revision_id, dispatch.pins)
    whole = compiled(workspace_id, revision_id, needed)
    audience.give_records(workspace_id, [person for _, person, _ in group], whole.record_types)
    made = rendering.fill(
        whole,
        [
            rendering.Recipient(entry.n, person, entry.payload or {}, token, confirm_token=_confirms(work, entry, person))
            for entry, person, token in group
        ],
    )
    programs = {
        (locale, shape): program(workspace_id, revision_id, needed, variant, locale, shape)
        for locale, shape in {(whole.default_locale, whole.locales[whole.default_locale].shape), *_forms(made)}
    }
    texts = whole.channel == "sms"
    outgoing = []
    for (entry, person, _), message in zip(group, made, strict=True):
        if isinstance(message, rendering.Failed):
            shared = programs[whole.default_locale, whole.locales[whole.default_locale].shape]
            outgoing.append(delivery.Outgoing(entry.n, person, None, shared, failure=message.detail, variant=variant))
            continue
        parts = rendering.sms_parts(message.text.decode()).parts if texts else 1
        outgoing.append(delivery.Outgoing(entry.n, person, message, programs[message.locale, message.message.shape], "", variant, parts))
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
    """What these templates name (senders, themes, fragments), and the theme that they wear instead, as released (at an epoch that was
    just read) or as drafted. Raises Missing."""
    refs = presentation.named_documents([view.model for view in templates], dress)
    if draft:
        return [governance.document(workspace_id, kind, key).latest for kind, key in refs]
    return [governance.released(workspace_id, kind, key, epoch=epoch) for kind, key in refs]


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


def sample(
    workspace_id: int, revision_id: int, person: Person, data: Mapping[str, Any] | None = None, *, pins: Sequence[int] | None = None
) -> rendering.Filled | rendering.Failed:
    """One person's message as it would be sent, with links that lead nowhere. pins: among which is what the template names;
    None: as in force."""
    if pins is None:
        pins = [view.id for view in named_by(workspace_id, [governance.revision_by_id(workspace_id, revision_id)])]
    whole = compiled(workspace_id, revision_id, presentation.among(workspace_id, revision_id, tuple(pins)))
    audience.give_records(workspace_id, [person], whole.record_types)
    return rendering.fill(whole, [rendering.Recipient(0, person, data or {}, token="sample")])[0]


def link_target(
    workspace_id: int, revision_id: int, pins: Sequence[int], person: Person | None, data: Mapping[str, Any], k: int
) -> str | None:
    """Where link k of one person's message leads, by its pinned revisions; None where there is no such link."""
    whole = compiled(workspace_id, revision_id, presentation.among(workspace_id, revision_id, tuple(pins)))
    audience.give_records(workspace_id, [person] if person is not None else [], whole.record_types)
    recipient = rendering.Recipient(0, person, data)
    return rendering.link_target(whole, whole.locale_for(recipient.wanted), k, recipient)
