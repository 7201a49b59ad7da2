"""A small workspace full of awkward people: what rules are tried on, and the plain words of what each rule means."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from audience.models import Event, IdList, ListMember, Profile, Record, Relation, Subscription
from audience.rules.places import on_earth
from audience.rules.shapes import RecordShape
from tests import factories

CATALOGUE = {"tier": "text", "spent": "number", "vip": "boolean", "born": "date", "seen": "datetime", "tags": "list", "home": "place"}
CATALOGUE |= {"address.city": "text", "address.since": "date", "churn": "number", "churn.at": "datetime"}
"""What rules may ask about: "address" is an object, "churn" a score."""
STAY = {"city": "text", "nights": "number", "paid": "boolean", "arrival": "date", "booked": "datetime", "extras": "list"}
RECORDS = {"stay": RecordShape(STAY, ("guest", "payer")), "firm": RecordShape({"city": "text"})}  # type: ignore[arg-type]
"""The records beside people, and what rules may ask about them."""
TEXTS = [
    "gold",
    "Gold",
    "straße",
    "STRASSE",
    "go%d",
    "go_d",
    "*",
    "a*b",
    'q"uote',
    "back\\slash",
    "e\u0301",
    "\u00e9",
    "İstanbul",
    "1",
    "true",
    "ZWJ 👩‍👩‍👧",
    "' OR 1=1 --",
    "日本",
    "so many letters that columns of their own don't hold them to th",
    "so many letters that columns of their own don't hold them to the",
    "so many letters that columns of their own don't hold them to the end",
    "so many letters that columns of their own don't hold them to the last",
]
NUMBERS = [0, -0.0, 1, 1.5, -3, 0.1, 0.30000000000000004, 2**53, -(2**53), 1e-7, 99.99, 100]
DAYS = ["2026-02-28", "2026-03-01", "2026-03-02", "2026-03-03", "2024-02-29", "1900-01-01", "2026-03-31"]
MOMENTS = [
    "2026-03-02T09:00:00.000000Z",
    "2026-03-02T08:59:59.999999Z",
    "2026-03-01T00:00:00.000000Z",
    "2026-01-31T23:59:59.500000Z",
    "2026-04-01T12:00:00.000000Z",
]
COUNTRIES = ["DE", "FR", "JP", None]
LOCALES = ["de", "de-AT", "fr", "zh-Hant-TW", None]
EVENTS = ["purchase", "visit", "sign-up"]
ZONES = ["Europe/Berlin", "Asia/Tokyo", "Pacific/Honolulu", "Pacific/Kiritimati", "America/Sao_Paulo", "Not/AZone", None]
CAMPAIGNS = ["spring", "Spring", "summer"]
KEYS = ["total", "city", 'odd "key"', "ünïcode", "back\\slash", "a.b", "a[0]", "$", "paid"]
SPOTS = [(48.137, 11.575), (48.775, 9.183), (35.68, 139.76), (-33.87, 151.21), (90.0, 0.0), (0.0, 179.999), (0.0, -179.999)]
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def folded_text(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def folded(value: Any) -> Any:
    if isinstance(value, list):
        return [folded(one) for one in value]
    return folded_text(value) if isinstance(value, str) else value


def value_of(kind: str, chance: random.Random) -> Any:
    pools = {"text": TEXTS, "number": NUMBERS, "boolean": [True, False]}
    if kind == "place":
        return list(on_earth(*chance.choice(SPOTS)))
    if kind == "list":
        return chance.sample(TEXTS, chance.randrange(3))
    if kind in ("date", "datetime"):
        return chance.choice(DAYS if kind == "date" else MOMENTS)
    return chance.choice(pools[kind])


def attributes_of(chance: random.Random, known: Mapping[str, str] = CATALOGUE) -> dict[str, Any]:
    """Some known, some unknown, some null, and some of another type than the catalogue says today."""
    found: dict[str, Any] = {}
    for name, kind in known.items():
        luck = chance.random()
        if luck < 0.65:
            found[name] = value_of(kind, chance)
        elif luck < 0.75:
            found[name] = None
        elif luck < 0.85:
            found[name] = value_of(chance.choice(list(CATALOGUE.values())), chance)
    return found


def kept(name: str, value: Any) -> Any:
    """The comparable form: days and instants as they are, other text folded."""
    return value if isinstance(value, str) and value in (*DAYS, *MOMENTS) else folded(value)


def people(workspace_id: int, seed: int, size: int) -> list[Profile]:
    """Profiles with events and subscriptions, the same for the same seed."""
    chance = random.Random(seed)
    rows = []
    for number in range(size):
        attributes = attributes_of(chance)
        rows.append(
            Profile(
                workspace_id=workspace_id,
                external_id=f"{seed}-{number}",
                email=f"P{number}@Example.com" if chance.random() < 0.7 else None,
                email_key=f"p{number}@example.com",
                phone=f"+4930{number:07}" if chance.random() < 0.5 else None,
                country=chance.choice(COUNTRIES),
                locale=chance.choice(LOCALES),
                zone=chance.choice(ZONES),
                attributes=attributes,
                folded={name: kept(name, value) for name, value in attributes.items()},
                created_at=NOW - timedelta(days=chance.randrange(-1, 60)),
                updated_at=NOW,
                gone_at=NOW if chance.random() < 0.05 else None,
            )
        )
        if rows[-1].email is None:
            rows[-1].email_key = None
    made = Profile.objects.bulk_create(rows)
    some, _ = IdList.objects.get_or_create(workspace_id=workspace_id, key="some", defaults={"created_at": NOW, "updated_at": NOW})
    ListMember.objects.bulk_create([ListMember(workspace_id=workspace_id, of=some, profile=one) for one in made if one.pk % 3 == 0])
    _events(workspace_id, made, chance)
    _subscriptions(workspace_id, made, chance)
    _records(workspace_id, made, chance)
    return made


def _records(workspace_id: int, made: list[Profile], chance: random.Random) -> None:
    """Records with nobody, one person or some, who have to do with them in one role or in all."""
    rows = []
    for number in range(2 * len(made)):
        type_ = chance.choice(["stay", "stay", "stay", "firm"])
        given = attributes_of(chance, RECORDS[type_].fields)
        kept_so = {name: kept(name, value) for name, value in given.items()}
        external_id = f"{made[0].external_id}-{number}"
        at = {"created_at": NOW, "updated_at": NOW}
        rows.append(Record(workspace_id=workspace_id, type=type_, external_id=external_id, attributes=given, folded=kept_so, **at))
    relations = [
        Relation(workspace_id=workspace_id, record=record, profile=person, role=role)
        for record in Record.objects.bulk_create(rows)
        for person in chance.sample(made, chance.choice([0, 1, 1, 2]))
        for role in (chance.choice([["guest"], ["guest"], ["payer"], ["guest", "payer"]]) if record.type == "stay" else [""])
    ]
    Relation.objects.bulk_create(relations)


def _events(workspace_id: int, made: list[Profile], chance: random.Random) -> None:
    rows = []
    for profile in made:
        for number in range(chance.choice([0, 0, 1, 2, 3, 5])):
            properties = {key: chance.choice([*TEXTS, *NUMBERS, True, False, None]) for key in chance.sample(KEYS, 3)}
            rows.append(
                Event(
                    workspace_id=workspace_id,
                    event_id=f"{profile.pk}-{number}",
                    profile=profile,
                    name=chance.choice(EVENTS),
                    at=NOW - chance.choice([timedelta(0), timedelta(days=1), timedelta(days=30), timedelta(days=31), timedelta(days=-1)]),
                    received_at=NOW,
                    properties=properties,
                    folded={key: folded(value) for key, value in properties.items()},
                )
            )
        for number in range(chance.choice([0, 0, 1, 2])):
            opened = {"campaign": chance.choice(CAMPAIGNS), "channel": chance.choice(["email", "sms"])}
            rows.append(
                Event(
                    workspace_id=workspace_id,
                    event_id=f"{profile.pk}-opened-{number}",
                    profile=profile,
                    name="message.opened",
                    at=NOW - timedelta(days=chance.randrange(40)),
                    received_at=NOW,
                    properties=opened,
                    folded={key: folded(value) for key, value in opened.items()},
                )
            )
    Event.objects.bulk_create(rows)


def _subscriptions(workspace_id: int, made: list[Profile], chance: random.Random) -> None:
    states = ["subscribed", "unsubscribed", "subscribed", "unsubscribed", "pending"]
    ends = [NOW, NOW + timedelta(seconds=1), NOW - timedelta(days=1)]
    rows = [
        Subscription(
            workspace_id=workspace_id,
            profile=profile,
            channel=channel,
            topic=topic,
            state=(state := chance.choice(states)),
            source="test",
            at=NOW,
            expires_at=chance.choice([None, None, *ends]),
            confirm_until=chance.choice(ends) if state == "pending" else None,
            refused=state == "pending" and chance.random() < 0.5,
        )
        for profile in made
        for channel in ("email", "sms")
        for topic in ("offers", "*")
        if chance.random() < 0.5
    ]
    Subscription.objects.bulk_create(rows)


def make_catalogue() -> None:
    """The attributes of this world as documents."""
    for name, kind in CATALOGUE.items():
        if "." not in name and name != "churn":
            factories.put("attribute", name, factories.attribute(title=f"The {name}", type=kind), now=NOW)
    fields = [{"name": "city", "type": "text"}, {"name": "since", "type": "date"}]
    factories.put("attribute", "address", factories.attribute(title="The address", type="object", fields=fields), now=NOW)
    for key, shape in RECORDS.items():
        of_type = {"fields": [{"name": name, "type": kind} for name, kind in shape.fields.items()], "roles": list(shape.roles)}
        factories.put("record_type", key, factories.record_type(**of_type), now=NOW)
    factories.put("attribute", "churn", factories.attribute(title="The churn", type="score"), now=NOW)
