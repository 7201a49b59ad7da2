"""The sample people of Wayfare, a travel company that does not exist: guests, what they did, and what they agreed to.

Everything is drawn from one seed and told relative to one day, so the same seed and day give the same people, byte for byte.
Addresses are in example.com, example.org and example.net, which belong to nobody.
"""

from __future__ import annotations

import bisect
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from samples.names import FIRST, LAST
from samples.places import COUNTRIES, DESTINATIONS, Country

WINDOW = timedelta(days=180)  # events are told over this long before the day of the sample
DOMAINS = ("example.com", "example.com", "example.com", "example.org", "example.net")
INTERESTS = ("beach", "city breaks", "family", "food", "hiking", "museums", "music", "skiing", "surfing", "trains", "wellness", "wine")
TIERS = ((12, "gold"), (5, "silver"), (2, "bronze"), (0, "none"))  # stays that a loyalty tier takes
# What an amount in euros is multiplied by, so that prices look right in other currencies.
SCALE = {"JPY": 165.0, "KRW": 1500.0, "INR": 92.0, "BRL": 6.0, "MXN": 20.0, "SEK": 11.0, "DKK": 7.5, "PLN": 4.3, "TRY": 38.0, "TWD": 35.0}
_CUMULATIVE = list(itertools.accumulate(country.weight for country in COUNTRIES))


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of one person."""

    event_id: str
    name: str
    at: datetime
    properties: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person said about one topic of one channel; "*" is the whole channel."""

    channel: str
    topic: str
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SamplePerson:
    """One person: who they are, what they did since, and what they agreed to. suppressed: their mail bounced for good."""

    external_id: str
    email: str | None
    phone: str | None
    locale: str
    country: str
    zone: str
    attributes: dict[str, Any]
    events: tuple[Happening, ...]
    consents: tuple[Consent, ...]
    suppressed: bool


@dataclass(slots=True)
class _Draw:
    """What is drawn for one person, and from what."""

    number: int
    random: random.Random
    as_of: datetime
    country: Country
    happenings: list[Happening] = field(default_factory=list)

    def event(self, name: str, at: datetime, **properties: Any) -> None:
        event_id = f"sample-{self.number:06d}-{len(self.happenings):02d}"
        self.happenings.append(Happening(event_id, name, at.replace(microsecond=0), properties))

    def amount(self, euros: float) -> int:
        return round(euros * SCALE.get(self.country.currency, 1.0))


def generate(count: int, *, seed: int, as_of: datetime) -> Iterator[SamplePerson]:
    """`count` people, one at a time. as_of: aware; events and dates are told relative to it. O(1) memory."""
    used: dict[str, int] = {}
    phones: dict[str, int] = {}
    previous: SamplePerson | None = None
    for number in range(1, count + 1):
        drawn = random.Random(f"{seed}/{number}")
        country = COUNTRIES[bisect.bisect(_CUMULATIVE, drawn.randrange(_CUMULATIVE[-1]))]
        person = _person(_Draw(number, drawn, as_of, country), used, phones)
        if previous and previous.email and drawn.random() < 0.004:  # the same inbox, known twice
            person = _with_address_of(person, previous, drawn)
        yield person
        previous = person


def _person(draw: _Draw, used: dict[str, int], phones: dict[str, int]) -> SamplePerson:
    pick = draw.random
    first, last = pick.choice(FIRST[draw.country.names]), pick.choice(LAST[draw.country.names])
    email = _email(f"{first.plain}.{last.plain}", used, pick) if pick.random() > 0.03 else None
    phone = _phone(draw.country, phones) if pick.random() < (0.62 if email else 0.9) else None
    signed_up = _signed_up(draw)
    stays = _stays(draw, signed_up)
    attributes = _attributes(draw, signed_up, stays)
    attributes.update(first_name=first.shown, last_name=last.shown)
    consents = _consents(draw, email, phone, signed_up)
    suppressed = email is not None and pick.random() < 0.005
    draw.happenings.sort(key=lambda happening: happening.at)
    return SamplePerson(
        external_id=f"wf-{draw.number:06d}",
        email=email,
        phone=phone,
        locale=draw.country.locales[0] if pick.random() < 0.88 else pick.choice(draw.country.locales),
        country=draw.country.code,
        zone=pick.choices(draw.country.zones, weights=range(len(draw.country.zones), 0, -1))[0],
        attributes=dict(sorted(attributes.items())),
        events=tuple(draw.happenings),
        consents=consents,
        suppressed=suppressed,
    )


def _email(local: str, used: dict[str, int], pick: random.Random) -> str:
    domain = pick.choice(DOMAINS)
    seen = used.get(f"{local}@{domain}", 0)
    used[f"{local}@{domain}"] = seen + 1
    return f"{local}{seen + 1 if seen else ''}@{domain}"


def _phone(country: Country, phones: dict[str, int]) -> str | None:
    """The country's next free number; None when its range for fiction is used up."""
    taken = phones.get(country.code, 0)
    room = country.below - country.start
    prefix, digits = divmod(taken, room)
    if prefix >= len(country.phones):
        return None
    phones[country.code] = taken + 1
    return f"{country.phones[prefix]}{country.start + digits:0{country.digits}d}"


def _with_address_of(person: SamplePerson, other: SamplePerson, pick: random.Random) -> SamplePerson:
    written = str(other.email)
    same = written if pick.random() < 0.5 else written.title()
    values = {name: getattr(person, name) for name in SamplePerson.__slots__}
    return SamplePerson(**{**values, "email": same})


def _signed_up(draw: _Draw) -> datetime:
    """Most joined long ago, some lately: those have the event, too."""
    days = int(draw.random.betavariate(1.1, 2.2) * 1800)
    at = draw.as_of - timedelta(days=days, seconds=draw.random.randrange(86_400))
    if draw.as_of - at < WINDOW:
        draw.event("signed_up", at, source=draw.random.choice(("search", "friend", "app store", "partner")))
    return at


def _stays(draw: _Draw, signed_up: datetime) -> list[datetime]:
    """When their stays began, oldest first: some travel every month, a third never did."""
    pick, years = draw.random, max((draw.as_of - signed_up).days / 365, 0.05)
    rate = pick.choices((0.0, 0.6, 1.6, 4.0), weights=(30, 38, 24, 8))[0]
    number = min(40, int(pick.gammavariate(2.0, rate * years / 2))) if rate else 0
    span = (draw.as_of - signed_up).total_seconds()
    moments = sorted(signed_up + timedelta(seconds=pick.random() ** 0.8 * span) for _ in range(number))
    _events(draw, signed_up, moments)
    return moments


def _events(draw: _Draw, signed_up: datetime, stays: list[datetime]) -> None:
    """What led to the bookings of the last months, and the looking around that led nowhere."""
    pick, since = draw.random, max(signed_up + timedelta(hours=1), draw.as_of - WINDOW)
    for stay in stays:
        booked = stay - timedelta(days=pick.randrange(3, 45))
        if since < booked < draw.as_of:
            _visit(draw, booked, ends="booked")
    idle = pick.choices((0, 1, 2, 4), weights=(45, 28, 18, 9))[0]
    for _ in range(idle):
        at = draw.as_of - pick.random() ** 1.5 * (draw.as_of - since)
        _visit(draw, at, ends=pick.choices(("viewed_listing", "searched", "cart_abandoned"), weights=(50, 30, 20))[0])


def _visit(draw: _Draw, at: datetime, *, ends: str) -> None:
    """One visit: a search, perhaps a look at a listing, perhaps a booking or a cart left behind."""
    pick, city = draw.random, draw.random.choice(DESTINATIONS)
    nights, guests = pick.randint(1, 9), pick.randint(1, 5)
    price = draw.amount(pick.lognormvariate(4.6, 0.45))
    draw.event("searched", at - timedelta(minutes=pick.randint(4, 40)), city=city, nights=nights, guests=guests)
    if ends == "searched":
        return
    listing = f"L{pick.randrange(10_000, 99_999)}"
    draw.event("viewed_listing", at - timedelta(minutes=3), listing=listing, city=city, price=price, currency=draw.country.currency)
    if ends != "viewed_listing":
        stay = {"listing": listing, "city": city, "nights": nights, "guests": guests}
        draw.event(ends, at, **stay, amount=price * nights, currency=draw.country.currency)


def _attributes(draw: _Draw, signed_up: datetime, stays: list[datetime]) -> dict[str, Any]:
    pick = draw.random
    attributes: dict[str, Any] = {
        "plan": pick.choices(("free", "plus", "premier"), weights=(78, 17, 5) if len(stays) < 3 else (45, 38, 17))[0],
        "loyalty_tier": next(tier for least, tier in TIERS if len(stays) >= least),
        "signup_date": signed_up.date().isoformat(),
        "stays": len(stays),
        "lifetime_value": round(sum(draw.amount(pick.lognormvariate(5.1, 0.5)) for _ in stays), 2),
        "preferred_currency": draw.country.currency,
        "home_city": pick.choice(draw.country.cities),
        "has_app": pick.random() < (0.72 if stays else 0.31),
    }
    if stays:
        attributes["last_stay_date"] = stays[-1].date().isoformat()
        attributes["average_nights"] = round(pick.uniform(1.5, 8.0), 1)
    if pick.random() < 0.7:
        attributes["favourite_city"] = pick.choice(DESTINATIONS)
    if pick.random() < 0.8:
        attributes["interests"] = sorted(pick.sample(INTERESTS, pick.randint(1, 4)))
    if pick.random() < 0.6:
        attributes["birthday"] = _birthday(draw.as_of.date(), pick).isoformat()
    return attributes


def _birthday(today: date, pick: random.Random) -> date:
    return today - timedelta(days=int(pick.triangular(18, 82, 36) * 365.25))


def _consents(draw: _Draw, email: str | None, phone: str | None, signed_up: datetime) -> tuple[Consent, ...]:
    pick, said = draw.random, []
    if email:
        for topic, yes, no in (("offers", 0.80, 0.09), ("digest", 0.55, 0.08), ("product", 0.66, 0.05)):
            said += _answer(draw, "email", topic, yes, no, signed_up)
        if pick.random() < 0.012:
            said.append(Consent("email", "*", "unsubscribed", _later(draw, signed_up)))
    if phone:
        said += _answer(draw, "sms", "offers", 0.24, 0.05, signed_up)
        said += _answer(draw, "sms", "reminders", 0.58, 0.03, signed_up)
    return tuple(said)


def _answer(draw: _Draw, channel: str, topic: str, yes: float, no: float, signed_up: datetime) -> list[Consent]:
    """A yes at sign-up, a no some time later, or silence."""
    answer = draw.random.random()
    if answer < yes:
        return [Consent(channel, topic, "subscribed", signed_up.replace(microsecond=0))]
    return [Consent(channel, topic, "unsubscribed", _later(draw, signed_up))] if answer < yes + no else []


def _later(draw: _Draw, moment: datetime) -> datetime:
    return (moment + draw.random.random() * (draw.as_of - moment)).replace(microsecond=0)
