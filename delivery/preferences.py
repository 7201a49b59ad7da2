"""What somebody hears from us, as they see and change it themselves by the link in a message, without signing in.

Laws: only what the page showed can be changed by it; every change is in the ledger of consents, with the page as its source and
what it said as the wording; a suppression other than the person's own unsubscription is not lifted here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from audience import door as audience
from delivery import suppression, tracking
from delivery.addresses import address_of, addresses_of
from delivery.conclusions import OURS
from delivery.tracking import Reader
from presentation import door as presentation

BY = "preferences"
SOURCE = f"{OURS}:{BY}"
WHOLE = "*"


@dataclass(frozen=True, slots=True)
class Choice:
    """One topic of one channel. on: whether messages about it may come now; waits: they will once the person confirmed it."""

    channel: str
    topic: str
    on: bool
    waits: bool = False

    @property
    def value(self) -> str:
        """How the page's form names it."""
        return f"{self.channel}/{self.topic}"

    @property
    def name(self) -> str:
        """The topic as a person reads it."""
        return audience.topic_words(self.topic)


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be chosen on one channel. address: enough of it to recognise; refused: the person left everything there; held:
    nothing goes there, whatever is chosen."""

    channel: str
    address: str
    choices: tuple[Choice, ...]
    refused: bool
    held: bool


def offers(who: Reader) -> list[Offer]:
    """The message's channel with every topic that is written about there, then other channels where this person chose something.

    Empty where the person is gone."""
    person = next(iter(audience.load(who.workspace_id, [who.profile_id])), None)
    if person is None:
        return []
    standing = audience.consents(who.workspace_id, who.profile_id)
    said = {(each.channel, each.topic): each.state for each in standing}
    still_refused = {(each.channel, each.topic) for each in standing if each.refused}
    written = presentation.topics(who.workspace_id)
    found = []
    for channel in [who.channel, *sorted({channel for channel, topic in said if topic != WHOLE} - {who.channel})]:
        names = {topic for place, topic in said if place == channel} - {WHOLE}
        if channel == who.channel:
            names |= set(written.get(channel, ())) | ({who.topic} - {""})
        held = _held(who.workspace_id, channel, address_of(channel, person))
        refused = said.get((channel, WHOLE)) == "unsubscribed" or (channel, WHOLE) in still_refused or bool(held)
        choices = [
            Choice(
                channel,
                topic,
                not refused and _comes(said.get((channel, topic)), written.get(channel, {}).get(topic, ())),
                not held and said.get((channel, topic)) == "pending",
            )
            for topic in sorted(names)
        ]
        address = hint(address_of(channel, person))
        found.append(Offer(channel, address, tuple(choices), refused, bool(held) and held not in suppression.MARKETING_ONLY))
    return found


def hint_of(who: Reader) -> str:
    """Enough of the address that the message went to for its reader to recognise; "" where the person is gone."""
    person = next(iter(audience.load(who.workspace_id, [who.profile_id])), None)
    return hint(address_of(who.channel, person)) if person is not None else ""


def choose(who: Reader, wanted: Collection[str], shown: Collection[str], *, wording: str, now: datetime) -> None:
    """What the person wants of what the page showed them (values of choices). Written before this returns; only changes are."""
    with transaction.atomic():
        for offer in offers(who):
            if not offer.held:
                mine = [choice for choice in offer.choices if choice.value in shown]
                _switch(who, offer, {choice for choice in mine if choice.value in wanted}, set(mine), wording, now)


def leave_everything(who: Reader, *, now: datetime) -> None:
    """Nothing promotional on any channel where there is something to choose. Written before this returns."""
    with transaction.atomic():
        tracking.unsubscribe(who, everything=True, by=BY, now=now)
        for offer in offers(who):
            if offer.channel != who.channel:
                _say(who, offer.channel, WHOLE, "unsubscribed", "", now)


def _switch(who: Reader, offer: Offer, wanted: set[Choice], mine: set[Choice], wording: str, now: datetime) -> None:
    on = {choice for choice in wanted if not (choice.on or choice.waits)}
    off = {choice for choice in mine - wanted if choice.on or choice.waits}
    if any((choice.channel, choice.topic) == (who.channel, who.topic) for choice in off):
        tracking.unsubscribe(who, everything=False, by=BY, now=now)
    again = bool(on) and offer.refused
    if again:  # without the refusal of everything only what was chosen here may come
        off |= {choice for choice in offer.choices if choice not in wanted}
        person = next(iter(audience.load(who.workspace_id, [who.profile_id])))
        if offer.channel == "push":
            audience.give_devices(who.workspace_id, [person])
        for address in addresses_of(offer.channel, person):
            suppression.lift_own(who.workspace_id, offer.channel, address)
    news = 0
    for choice in sorted(on | off, key=lambda choice: choice.topic):
        said = _say(who, choice.channel, choice.topic, "subscribed" if choice in on else "unsubscribed", wording, now)
        news += said if choice in on else 0
    if again:  # where that is to be confirmed, what is chosen asks for it, unless it was agreed to before
        _say(who, offer.channel, WHOLE, "subscribed", wording, now, ask=not news)


def _say(who: Reader, channel: str, topic: str, state: audience.Said, wording: str, now: datetime, *, ask: bool = True) -> int:
    """1 where it is news. wording: kept with an agreement; a refusal needs none."""
    agreed = wording[:200] if state == "subscribed" else ""
    return audience.set_consent(
        who.workspace_id, [who.profile_id], channel=channel, topic=topic, state=state, source=SOURCE, wording=agreed, ask=ask, now=now
    )


def _comes(state: str | None, classes: Collection[str]) -> bool:
    """Whether messages may come: what was asked for, and service messages unless they were refused."""
    return state == "subscribed" or (state is None and "service" in classes)


def _held(workspace_id: int, channel: str, address: str) -> str:
    """Why nothing promotional goes to this address, "" where something may: the strongest reason."""
    return suppression.reason_of(workspace_id, channel, address) if address else ""


def hint(address: str) -> str:
    """So much of an address that its owner knows it and nobody else learns it."""
    name, at, domain = address.partition("@")
    return f"{name[:1]}…@{domain[:1]}…{domain[domain.rfind('.') :]}" if at and "." in domain else f"…{address[-2:]}" if address else ""
