"""Content of services for people: asked for all of a batch at once, before anything is admitted, and told apart from what stood in."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.db import transaction

from audience import door as audience
from governance.door import Finding, Role, pointer
from presentation import door as presentation
from presentation.door import Content, Source, Told, Variable
from rendering import door as rendering
from rendering.door import Recipient

LONGEST_WORDS = 250  # characters about one message
ONE_WAITS = 5.0  # seconds
LOOKS_WITHIN = 5.0  # seconds that whoever looks at a preview waits
Wanted = Sequence[tuple[Source, Sequence[Recipient]]]


def within_lease(message_class: str) -> float:
    """Seconds that the content of one piece of work may take: a quarter of the lease, for the vendor needs the rest; of transactional
    messages less, for others wait behind them."""
    quarter: float = settings.OMNI.lease_seconds / 4
    return min(quarter, ONE_WAITS) if message_class == "transactional" else quarter


def way() -> presentation.Way:
    """How this installation reaches services."""
    asked = "" if settings.OMNI.dns == "off" else settings.OMNI.dns
    return presentation.Way(settings.OMNI.content_networks, asked, settings.OMNI.content_authorities)


@dataclass(slots=True)
class Amiss:
    """What was amiss with the content that recipients were given. words: by a recipient's number; counts: by source and reason, for how
    many people, and for how many of them fallbacks stood in."""

    words: dict[int, str] = field(default_factory=dict)
    counts: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def note(self, n: int, source: str, told: Told) -> None:
        """One recipient's trouble with one source."""
        words = f"content source {source}: {told.why}"
        self.words[n] = (f"{self.words[n]}; {words}" if n in self.words else words)[:LONGEST_WORDS]
        times, stood_in = self.counts.get((source, told.why), (0, 0))
        self.counts[source, told.why] = times + 1, stood_in + bool(told.stood_in)

    def explained(self, message: rendering.Failed) -> rendering.Failed:
        """Why there is no message, with what was amiss with its content."""
        words = self.words.get(message.n)
        return replace(message, detail=f"{message.detail} ({words})") if words else message


def give(wanted: Wanted, *, within: float) -> Amiss:
    """Ask each source for all of its recipients at once, and put what it says where templates read it. Their records must be there.

    Never within a transaction: a service takes its time.
    """
    until, amiss = time.monotonic() + within, Amiss()
    for source, recipients in wanted:
        assert not transaction.get_connection().in_atomic_block, "content is fetched before a transaction begins"
        for recipient, told in zip(recipients, _told(source, recipients, until), strict=True):
            recipient.content[source.key] = told.values
            if told.why:
                amiss.note(recipient.n, source.key, told)
    return amiss


def _told(source: Source, recipients: Sequence[Recipient], until: float) -> list[Told]:
    asks = rendering.asks(source.body, recipients)
    return presentation.fetch(source, asks, way(), within=max(0.0, until - time.monotonic()))


def record_types(sources: Iterable[Source]) -> frozenset[str]:
    """The types of records that sources are asked with."""
    steps = [variable.source.split(".") for source in sources for variable in source.body.inputs.values()]
    return frozenset(key for room, key, *_ in steps if room == "record")


def hidden(person: audience.Person | None) -> bool:
    """Whether somebody is looked at by a role that isn't told what is personal, as what content sources say of people may be."""
    return person is not None and person.seen_by is not None and not person.seen_by.covers(Role.AUTHOR)


HIDDEN = Finding("note", "/variables", "samples in place of what content sources say of somebody", "an author’s eyes: viewers aren’t told")


def try_one(source: Source, person: audience.Person | None) -> Told:
    """What a source says for a person, or for the samples of its inputs."""
    asked = source if person is not None else _with_samples(source)
    audience.give_records(source.workspace_id, [person] if person is not None else [], record_types([source]))
    return _told(asked, [Recipient(0, person)], time.monotonic() + LOOKS_WITHIN)[0]


def look(content: Content, sources: Sequence[Source], person: audience.Person | None) -> tuple[dict[str, Any], list[Finding]]:
    """What the sources say for a person who is looked through, or for the samples of their inputs; and what stood in where they
    didn't. The person's records must be there."""
    recipient, found, until = Recipient(0, person), list[Finding](), time.monotonic() + LOOKS_WITHIN
    for source in sources if person is not None else map(_with_samples, sources):
        (told,) = _told(source, [recipient], until)
        recipient.content[source.key] = told.values
        found += _findings(content, source, told)
    return dict(recipient.content), found


def _with_samples(source: Source) -> Source:
    """Asked with samples where nobody is there to ask for; its answers are remembered apart."""
    inputs = {name: _sampled(variable) for name, variable in source.body.inputs.items()}
    return Source(source.workspace_id, source.key, (source.revision, "samples"), source.body.model_copy(update={"inputs": inputs}))


def _sampled(variable: Variable) -> Variable:
    return variable.model_copy(update={"fallback": variable.sample}) if variable.sample is not None else variable


def _findings(content: Content, source: Source, told: Told) -> Iterator[Finding]:
    """One about the source, at the first variable that reads it."""
    if told.why:
        readers = [name for name, variable in content.variables.items() if variable.source.startswith(f"content.{source.key}.")]
        stood_in = f"; the fallback of {', '.join(told.stood_in)} stands there" if told.stood_in else ""
        yield Finding("warning", pointer(("variables", readers[0])), f"content source {source.key}: {told.why}{stood_in}", "its answer")
