"""Valid things by default; one keyword changes one thing. Made at the rooms' doors, as people and programs make them.

Ada writes, Ben approves, Cleo administers; they are made when they are first needed.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from audience import door as audience
from governance import door as governance
from governance.door import Actor, Role, User, Workspace

ROLES = {"vera": Role.VIEWER, "ada": Role.AUTHOR, "ben": Role.APPROVER, "cleo": Role.ADMIN}
_numbers = itertools.count(1)
Body = dict[str, Any]


def workspace() -> Workspace:
    """The default workspace."""
    return governance.default_workspace()


def person(name: str, *, now: datetime, via: str = "console") -> Actor:
    """Vera (viewer), Ada (author), Ben (approver, may approve legal changes) or Cleo (admin). Their password is `<name>-password`."""
    home = workspace()
    user = User.objects.filter(username=name).first()
    if user is None:
        user = User.objects.create_user(name, email=f"{name}@example.com", password=f"{name}-password")
        shell = Actor(home.pk, None, Role.ADMIN, "command", label="tests")
        governance.set_member(shell, user, role=ROLES[name], legal=name in {"ben", "cleo"}, now=now)
    return governance.actor_for(user, home.pk, via)  # type: ignore[arg-type]  # one of Via


def profile(*, now: datetime, **changes: Any) -> int:
    """One profile's id. By default Ada Lovelace's sister of the next number, subscribed to `offers` by e-mail."""
    number = next(_numbers)
    consents = changes.pop("consents", (("email", "offers", "subscribed"),))
    fields: Body = {
        "external_id": f"person-{number}",
        "email": f"person-{number}@example.com",
        "phone": None,
        "locale": "en-GB",
        "country": "GB",
        "zone": "Europe/London",
        "attributes": {},
        **changes,
    }
    outcome = audience.upsert(workspace().pk, [audience.ProfileRow(**fields, consents=tuple(consents))], source="tests", now=now)
    assert not outcome.rejected, outcome.rejected
    found = audience.find(workspace().pk, external_id=fields["external_id"])
    assert found is not None
    return found.id


def profiles(count: int, *, now: datetime, domain: str = "example.com", **changes: Any) -> list[int]:
    """So many profiles, in a handful of statements; their ids in the order of their making."""
    first = next(_numbers) + 1
    rows = [
        audience.ProfileRow(
            **{
                "external_id": f"crowd-{first}-{n}",
                "email": f"crowd-{first}-{n}@{domain}",
                "locale": "en-GB",
                "country": "GB",
                "zone": "Europe/London",
                "consents": (("email", "offers", "subscribed"),),
                **changes,
            }
        )
        for n in range(count)
    ]
    outcome = audience.upsert(workspace().pk, rows, source="tests", now=now)
    assert not outcome.rejected, outcome.rejected[:1]
    known = audience.ids_of(workspace().pk, [row.external_id for row in rows])
    return [known[row.external_id] for row in rows]


def segment(**changes: Any) -> Body:
    """The body of a segment: everyone."""
    return {"title": "Everyone", "description": "", "rule": {"everyone": True}, **changes}


def template(**changes: Any) -> Body:
    """The body of a promotional e-mail in English, for subscribers of `offers`."""
    return {
        "title": "Offer",
        "channel": "email",
        "message_class": "promotional",
        "topic": "offers",
        "sender": {"name": "Wayfare", "address": "hello@wayfare.example"},
        "default_locale": "en",
        "variables": {"first_name": {"source": "attribute.first_name", "type": "text", "fallback": "friend", "sample": "Ada"}},
        "locales": {"en": letter()},
        **changes,
    }


def letter(subject: str = "Hello {{ first_name }}", words: str = "Spring is here, {{ first_name }}.") -> Body:
    """One translation of an e-mail: a subject, a paragraph, a button and the footer that promotional mail must have."""
    return {
        "subject": subject,
        "preheader": "Until the end of the month",
        "blocks": [
            {"type": "text", "id": "words", "text": words},
            {"type": "button", "id": "go", "label": "Look", "href": "https://www.wayfare.example/spring"},
            {"type": "footer", "id": "footer", "address": "12 Harbour Street, Dublin"},
        ],
    }


def text_message(**changes: Any) -> Body:
    """The body of a promotional SMS in English."""
    body = template(title="Text", channel="sms", sender={"from": "Wayfare"}, variables={}, **changes)
    return {**body, "locales": changes.get("locales", {"en": {"text": "Spring is here. Stop: reply STOP"}})}


def push_message(**changes: Any) -> Body:
    """The body of a promotional push message in English."""
    body = template(title="Push", channel="push", sender={}, variables={}, **changes)
    words = {"subject": "Spring is here", "text": "A fifth off", "link": "https://www.wayfare.example/spring"}
    return {**body, "locales": changes.get("locales", {"en": words})}


def campaign(**changes: Any) -> Body:
    """The body of a campaign that a person launches: the template `offer` to the segment `everyone`, all at once."""
    return {"title": "Spring sale", "segment": "everyone", "template": "offer", "trigger": {"type": "manual"}, **changes}


def policy(**changes: Any) -> Body:
    """The body of a sending policy without caps or quiet hours."""
    return {"title": "Manners", **changes}


def attribute(**changes: Any) -> Body:
    """The body of a text attribute."""
    return {"type": "text", "title": "Attribute", "sensitivity": "internal", **changes}


def record_type(**changes: Any) -> Body:
    """The body of a type of records with a city, nights and a day, to which people are related as guest or payer."""
    fields = [{"name": "city", "type": "text"}, {"name": "nights", "type": "number"}, {"name": "arrival", "type": "date"}]
    return {"title": "Booking", "fields": fields, "roles": ["guest", "payer"], **changes}


def put(kind: str, key: str, body: Mapping[str, Any], *, now: datetime, author: str = "ada") -> None:
    """Save the body as the document's next revision."""
    home = workspace().pk
    known = {view.key: view for view in governance.documents(home, kind)}
    base = known[key].latest.number if key in known else None
    governance.save(person(author, now=now), kind, key, dict(body), base=base, note="", now=now)


def release(kind: str, key: str, *, now: datetime, author: str = "ada", approver: str = "ben") -> None:
    """Have the document's latest revision, with everything it uses, submitted, approved by somebody else, and put in force."""
    number = governance.document(workspace().pk, kind, key).latest.number
    submission = governance.submit(person(author, now=now), kind, key, number=number, note="", now=now)
    governance.decide(person(approver, now=now), submission.pk, bill_hash=submission.bill_hash, verdict="approve", comment="Good.", now=now)
    governance.release(person(approver, now=now), submission.pk, now=now)


def in_force(kind: str, key: str, body: Mapping[str, Any], *, now: datetime) -> None:
    """Save and release in one go."""
    put(kind, key, body, now=now)
    release(kind, key, now=now)


def spring_sale(*, now: datetime, template_changes: Mapping[str, Any] | None = None, **changes: Any) -> str:
    """A released campaign with all it needs, by its key: attribute, segment, template, policy."""
    put("attribute", "first_name", attribute(title="First name", sensitivity="personal"), now=now)
    put("segment", "everyone", segment(), now=now)
    put("template", "offer", template(**dict(template_changes or {})), now=now)
    put("sending_policy", "default", policy(), now=now)
    in_force("campaign", "spring-sale", campaign(**changes), now=now)
    return "spring-sale"


def fragment(**changes: Any) -> Body:
    """The body of a fragment: a sentence and a footer, in English."""
    blocks = [
        {"type": "text", "id": "why", "text": "You asked for this."},
        {"type": "footer", "id": "footer", "address": "12 Harbour Street, Dublin"},
    ]
    return {"title": "Legal footer", "default_locale": "en", "locales": {"en": {"blocks": blocks}}, **changes}


def mail_sender(**changes: Any) -> Body:
    """The body of a sender of mail, with everything that a domain's checks ask about."""
    return {
        "title": "Offers",
        "channel": "email",
        "name": "Wayfare Offers",
        "address": "offers@mail.wayfare.example",
        "reply_to": "help@wayfare.example",
        "postal_address": "12 Harbour Street, Dublin",
        "dkim_selectors": ["s1"],
        **changes,
    }
