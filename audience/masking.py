"""What a role is shown of people: a viewer no address and nothing personal, and nobody but an admin what is sensitive.

Whatever shows people to somebody shows them as `shown` makes them; whoever sends to them takes them as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from audience.catalogue import catalogue, hidden_from
from audience.models import Profile
from audience.profiles import Person, find, search
from governance.door import Actor, Role

SEES_ADDRESSES = Role.AUTHOR


def sees_addresses(actor: Actor) -> bool:
    """Whether e-mail addresses and phone numbers are for this actor."""
    return actor.role.covers(SEES_ADDRESSES)


def masked_email(email: str) -> str:
    """An e-mail address by its first letter and its domain: "m…@example.com"."""
    return f"{email[:1]}…@{email.rpartition('@')[2]}"


def masked_phone(phone: str) -> str:
    """A phone number by its beginning and its end: "+35…78"."""
    return f"{phone[:3]}…{phone[-2:]}"


def shown(actor: Actor, people: Iterable[Person]) -> list[Person]:
    """These people as this actor may see them, in their order: attributes that aren't for them are left out, addresses masked."""
    known, found = None, []
    for person in people:
        attributes = person.attributes
        if attributes and not actor.role.covers(Role.ADMIN):
            known = known if known is not None else catalogue(actor.workspace_id)
            attributes = {name: value for name, value in attributes.items() if not hidden_from(actor.role, known.get(name))}
        email, key, phone = person.email, person.email_key, person.phone
        if not sees_addresses(actor):
            email, key, phone = (masked_email(email) if email else None), None, (masked_phone(phone) if phone else None)
        found.append(replace(person, attributes=attributes, email=email, email_key=key, phone=phone, seen_by=actor.role))
    return found


def shown_one(actor: Actor, person: Person | None) -> Person | None:
    """As `shown`, of one person or nobody."""
    return None if person is None else shown(actor, [person])[0]


def search_as(actor: Actor, text: str, *, limit: int = 50, after: int | None = None) -> list[Person]:
    """People whom this actor may find by this text, as they may see them: who sees no addresses must know a whole one, so that nobody
    spells addresses out letter by letter."""
    text = text.strip()
    if not text or sees_addresses(actor):
        return shown(actor, search(actor.workspace_id, text, limit=limit, after=after))
    whole = find(actor.workspace_id, external_id=text) or find(actor.workspace_id, address=text)
    return shown(actor, [whole]) if whole is not None and (after is None or whole.id > after) else []


def shown_row(actor: Actor, row: Profile) -> Profile:
    """A profile's row as this actor may see it; not to be saved."""
    person = Person(row.pk, row.external_id, row.email, row.email_key, row.phone, row.locale, row.country, row.zone, row.attributes)
    seen = shown(actor, [person])[0]
    row.email, row.email_key, row.phone, row.attributes = seen.email, seen.email_key, seen.phone, seen.attributes
    return row
