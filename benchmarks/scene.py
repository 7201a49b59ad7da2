"""A workspace ready to send: people, a mail and a text message, routes to a vendor's stand-in, all approved by a second person.

    OMNI_DATABASE_URL=… OMNI_VENDOR=routes … python -m benchmarks.scene --mails 100000 --texts 1000

Run in a process of its own, with the environment of the instance under test. Everything goes through the rooms' doors.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omni.settings")

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from audience import door as audience  # noqa: E402
from delivery.adapters.base import Account, OutgoingMessage, OutgoingRequest, Sender  # noqa: E402
from delivery.adapters.smtp import Smtp  # noqa: E402
from governance import door as governance  # noqa: E402
from governance.door import Actor, User  # noqa: E402
from omni.environment import ENVIRONMENT  # noqa: E402
from presentation import door as presentation  # noqa: E402
from rendering import door as rendering  # noqa: E402

PARAGRAPH = "We have put aside a few places that we think you will like, with doors that open onto gardens and kitchens to cook in. "
FIRST_NAMES = ("Ada", "Björn", "Chloé", "Dmitri", "Eun-ji", "Fatima", "Grace", "Hiro", "Inés", "Jan")
AREAS = (212, 213, 312, 415, 617, 702, 713, 808, 202, 303, 305, 404, 503, 512, 602, 614, 718, 816, 901, 919)  # 10,000 numbers each
COPIED = 100_000  # people who come through the door; more are made from them
CITIES = ("Berlin", "Lisboa", "Kyoto", "Oslo", "Dublin", "Porto", "Ghent")

MAIL: dict[str, Any] = {
    "title": "Spring",
    "channel": "email",
    "message_class": "promotional",
    "topic": "offers",
    "sender": {"name": "Wayfare", "address": "hello@wayfare.example"},
    "default_locale": "en",
    "variables": {
        "first_name": {"source": "attribute.first_name", "fallback": "there"},
        "city": {"source": "attribute.city", "fallback": "your city"},
        "points": {"source": "attribute.points", "type": "number", "fallback": 0},
    },
    "locales": {
        "en": {
            "subject": "{{ first_name }}, {{ city }} in spring",
            "preheader": "You have {{ points }} points to spend.",
            "blocks": [
                {"type": "heading", "id": "title", "text": "{{ first_name }}, spring is here"},
                {"type": "text", "id": "opening", "text": "Hello **{{ first_name }}** in {{ city }}.\n\n" + PARAGRAPH * 8},
                {"type": "button", "id": "go", "label": "See what is new", "href": "https://www.wayfare.example/spring"},
                {"type": "text", "id": "more", "text": PARAGRAPH * 12},
                {
                    "type": "footer",
                    "id": "footer",
                    "address": "Wayfare Stays · 12 Harbour Street · Dublin 2",
                    "text": "You asked for offers.",
                },
            ],
        }
    },
}
TEXT: dict[str, Any] = {
    "title": "Spring, by text",
    "channel": "sms",
    "message_class": "promotional",
    "topic": "offers",
    "sender": {"from": "+15005550006"},
    "default_locale": "en",
    "variables": {"first_name": {"source": "attribute.first_name", "fallback": "there"}},
    "locales": {"en": {"text": "{{ first_name }}, a fifth off this spring: https://wayfare.example/s. Reply STOP to leave"}},
}
PUSH: dict[str, Any] = {
    "title": "Spring, by push",
    "channel": "push",
    "message_class": "promotional",
    "topic": "offers",
    "sender": {},
    "default_locale": "en",
    "variables": {"first_name": {"source": "attribute.first_name", "fallback": "there"}},
    "locales": {
        "en": {
            "subject": "Spring is here",
            "text": "{{ first_name }}, a fifth off this spring",
            "link": "https://wayfare.example/s",
            "data": {"offer": "spring"},
        }
    },
}
RESET: dict[str, Any] = {
    **MAIL,
    "title": "Password reset",
    "message_class": "transactional",
    "variables": {"code": {"source": "data.code", "sample": "123456"}},
    "locales": {
        "en": {
            "subject": "Your code is {{ code }}",
            "blocks": [{"type": "text", "id": "code", "text": "Your code is **{{ code }}**. It works for ten minutes."}],
        }
    },
}

MAIL_ROUTES: dict[str, Callable[[str], dict[str, Any]]] = {
    "sendgrid": lambda relay: {
        "title": "Mail",
        "channel": "email",
        "vendor": "sendgrid",
        "secrets": {"api_key": "SENDGRID_KEY", "webhook_key": "SENDGRID_WEBHOOK"},
    },
    "pigeon": lambda relay: {  # the vendor of docs/how-to/add-a-vendor.md, where its package is installed
        "title": "Mail",
        "channel": "email",
        "vendor": "pigeon",
        "secrets": {"api_key": "PIGEON_KEY"},
        "settings": {"loft": "north"},
    },
    "smtp": lambda relay: {
        "title": "Mail",
        "channel": "email",
        "vendor": "smtp",
        "secrets": {"password": "RELAY_PASSWORD"},
        "settings": {"host": relay.partition(":")[0], "port": relay.partition(":")[2], "tls": "none", "username": "lab"},
    },
}


def documents(args: argparse.Namespace) -> dict[tuple[str, str], dict[str, Any]]:
    """Everything that is approved, in the order of its references."""
    made: dict[tuple[str, str], dict[str, Any]] = {
        ("attribute", "first_name"): {"title": "First name", "type": "text"},
        ("attribute", "city"): {"title": "City", "type": "text"},
        ("attribute", "points"): {"title": "Points", "type": "number"},
        ("segment", "with-mail"): {"title": "People with an address", "rule": {"consent": {"channel": "email", "topic": "offers"}}},
        ("segment", "with-phone"): {"title": "People with a phone", "rule": {"consent": {"channel": "sms", "topic": "offers"}}},
        ("template", "spring"): MAIL,
        ("template", "spring-text"): TEXT,
        ("template", "reset"): RESET,
        ("vendor_route", "mail"): MAIL_ROUTES[args.mail_vendor](args.relay) | ({"seed": "seed-mail"} if args.seed else {}),
        ("vendor_route", "texts"): {
            "title": "Texts",
            "channel": "sms",
            "vendor": "twilio",
            "seed": "seed-text",
            "secrets": {"auth_token": "TWILIO_TOKEN"},
            "settings": {"account_sid": "AC" + "a" * 32},
            "price": {"currency": "USD", "per": "part", "otherwise_micros": 8_000},
            **({"per_second": args.per_second} if args.per_second else {}),
            "quotas": [{"count": args.per_minute, "per": "minute"}] if args.per_minute else [],
        },
        **({("vendor_route", "spare"): MAIL_ROUTES["smtp"](args.spare) | {"weight": 50, "stands_in": True}} if args.spare else {}),
        **({("sending_policy", "manners"): {"title": "Manners", "caps": [{"count": args.cap, "days": 7}]}} if args.cap else {}),
        ("campaign", "mails"): {
            "title": "Mails",
            "segment": "with-mail",
            "template": "spring",
            "batch_size": args.batch,
            **({"policy": "manners", "reentry": True} if args.cap else {}),
        },
        ("campaign", "texts"): {"title": "Texts", "segment": "with-phone", "template": "spring-text"},
    }
    return made | (push_documents() if args.pushes else {})


def push_documents() -> dict[tuple[str, str], dict[str, Any]]:
    """The same for push; needs the secret FCM_KEY, a service account's key file."""
    return {
        ("segment", "with-device"): {"title": "People with a device", "rule": {"reachable": "push"}},
        ("template", "spring-push"): PUSH,
        ("vendor_route", "phones"): {"title": "Phones", "channel": "push", "vendor": "fcm", "secrets": {"service_account": "FCM_KEY"}},
        ("campaign", "pushes"): {"title": "Pushes", "segment": "with-device", "template": "spring-push"},
    }


def people(mails: int, texts: int, pushes: int) -> Iterator[audience.ProfileRow]:
    """`mails` people with an address, `texts` others with a number, and `pushes` others who get a device, all agreeing to offers."""
    yield audience.ProfileRow("seed-mail", email="seed@example.com", locale="en")  # consents to nothing: only probes reach it
    yield audience.ProfileRow("seed-text", phone="+12125559999", locale="en")
    for n in range(mails):
        attributes = {"first_name": FIRST_NAMES[n % 10], "city": CITIES[n % 7], "points": n % 5_000}
        yield audience.ProfileRow(
            f"m{n}", email=f"person{n}@example.com", locale="en", attributes=attributes, consents=(("email", "offers", "subscribed"),)
        )
    for n in range(texts):
        attributes = {"first_name": FIRST_NAMES[n % 10]}
        yield audience.ProfileRow(
            f"t{n}",
            phone=f"+1{AREAS[n // 10_000]}555{n % 10_000:04d}",
            country="GB",
            locale="en",
            attributes=attributes,
            consents=(("sms", "offers", "subscribed"),),
        )

    for n in range(pushes):  # whose address is listed, so that their devices may be written to
        attributes = {"first_name": FIRST_NAMES[n % 10]}
        consents = (("push", "offers", "subscribed"),)
        yield audience.ProfileRow(f"p{n}", email=f"phone{n}@example.com", locale="en", attributes=attributes, consents=consents)


def _give_devices() -> None:
    """A device to each of them, in one statement instead of as many calls."""
    token = "'token-' || lpad(substr(external_id, 2), 140, '0')"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO audience_device (workspace_id, profile_id, platform, address, fingerprint, created_at, seen_at, invalid_why)
            SELECT workspace_id, id, 'fcm', {token}, encode(sha256('fcm'::bytea || '\\x00'::bytea || convert_to({token}, 'UTF8')), 'hex'),
                created_at, created_at, '' FROM audience_profile WHERE external_id ~ '^p[0-9]'"""
        )


def _copy_people(wanted: int, *, of: int) -> None:
    """As many more people as are wanted, alike those who came through the door: the server copies them within a minute."""
    if wanted <= of:
        return
    number = f"(substr(p.external_id, 2)::bigint + copy * {of})"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # no look-up of every foreign key: they are copied
        cursor.execute(
            f"""WITH made AS (INSERT INTO audience_profile (workspace_id, external_id, email, email_key, locale, attributes, folded,
                created_at, updated_at) SELECT workspace_id, 'm' || {number}, 'person' || {number} || '@example.com',
                'person' || {number} || '@example.com', locale, attributes, folded, created_at, updated_at
                FROM generate_series(1, %s) AS copy, audience_profile p
                WHERE p.external_id ~ '^m[0-9]' AND {number} < %s RETURNING workspace_id, id, created_at),
            agreed AS (INSERT INTO audience_subscription (workspace_id, profile_id, channel, topic, state, source, wording, at)
                SELECT workspace_id, id, 'email', 'offers', 'subscribed', 'benchmark', '', created_at FROM made)
            INSERT INTO audience_subscriptionentry (workspace_id, profile_id, channel, topic, state, source, wording, at)
                SELECT workspace_id, id, 'email', 'offers', 'subscribed', 'benchmark', '', created_at FROM made""",
            [wanted // of, wanted],
        )


def member(name: str, role: str, now: datetime) -> Actor:
    """A person of the default workspace."""
    space = governance.default_workspace()
    user, _ = User.objects.get_or_create(username=name)
    governance.Membership.objects.update_or_create(workspace=space, user=user, defaults={"role": role, "legal": role != "author"})
    return governance.actor_for(user, space.pk, "command")


def approve_all(author: Actor, admin: Actor, approver: Actor, wanted: dict[tuple[str, str], dict[str, Any]]) -> None:
    """Save as one person, approve and release as another; large audiences need two."""
    for (kind, key), body in wanted.items():
        writer = admin if kind in {"vendor_route", "sending_policy"} else author
        now = timezone.now()
        revision = governance.save(writer, kind, key, body, base=None, now=now)
        submission = governance.submit(writer, kind, key, number=revision.number, now=now)
        for decider in (approver, admin):
            decided = governance.decide(decider, submission.pk, bill_hash=submission.bill_hash, verdict="approve", comment="Yes", now=now)
            if decided.state != "open":
                break
        governance.release(approver, submission.pk, now=now)


def _size() -> int:
    """One mail of the scene, as SMTP carries it."""
    workspace = governance.default_workspace().pk
    content = presentation.compose(workspace, "spring")
    compiled = rendering.compile(content, base_url=ENVIRONMENT.public_url)
    person = audience.load(workspace, [audience.find(workspace, external_id="m0").id])[0]
    filled = rendering.fill(compiled, [rendering.Recipient(0, person, {}, "A" * 28)])[0]
    assert isinstance(filled, rendering.Filled)
    message = OutgoingMessage("A" * 28, person.email or "", filled)
    sender = Sender(content.sender.address, content.sender.name)
    request = OutgoingRequest(1, "email", sender, [message], at=timezone.now())
    return len(Smtp().build(request, Account("smtp://127.0.0.1", {}, {"host": "127.0.0.1", "tls": "none"})).body)


def main() -> None:
    """Make the scene and print the API key of the transactional door."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=10_000)
    parser.add_argument("--texts", type=int, default=0)
    parser.add_argument("--pushes", type=int, default=0, help="needs PostgreSQL and the secret FCM_KEY")
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--mail-vendor", choices=sorted(MAIL_ROUTES), default="sendgrid")
    parser.add_argument("--relay", default="", help="host:port, for smtp")
    parser.add_argument("--per-second", type=float, default=0.0, help="what the texts' account may be given")
    parser.add_argument("--per-minute", type=int, default=0)
    parser.add_argument("--cap", type=int, default=0, help="at most so many mails to one person in 7 days")
    parser.add_argument("--spare", default="", help="host:port of a relay that stands in for the mails' vendor")
    parser.add_argument("--seed", action="store_true", help="the mails' route names a seed, as the one of texts does")
    parser.add_argument("--size", action="store_true", help="print the bytes of one mail by SMTP, and do nothing else")
    args = parser.parse_args()
    if args.size:
        print(_size())
        return
    call_command("migrate", verbosity=0)
    now = timezone.now()
    author, admin, approver = member("ann", "author", now), member("adam", "admin", now), member("bo", "approver", now)
    wanted = documents(args)
    catalogue = {name: body for name, body in wanted.items() if name[0] == "attribute"}
    approve_all(author, admin, approver, catalogue)
    one_by_one = min(args.mails, COPIED) if connection.vendor == "postgresql" else args.mails
    outcome = audience.upsert(author.workspace_id, people(one_by_one, args.texts, args.pushes), source="benchmark", now=now)
    if outcome.rejected:
        raise SystemExit(f"{len(outcome.rejected)} people were rejected: {outcome.rejected[0]}")
    _copy_people(args.mails, of=one_by_one)
    if args.pushes:
        _give_devices()
    approve_all(author, admin, approver, {name: body for name, body in wanted.items() if name not in catalogue})
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # what autovacuum would do within a minute of such an import
    key, secret = governance.create_api_key(admin, name="benchmark", role="admin", scopes=["messages:send"], expires_at=None, now=now)
    print(secret)


if __name__ == "__main__":
    main()
