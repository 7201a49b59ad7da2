"""The town before any day: its people, what is in force, and how it is put back after a day."""

from __future__ import annotations

import gc
import re
import sqlite3
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from delivery import instance
from tests import factories as make
from tests.vendor_standin import StandIn

DAWN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
ZONES = ("Europe/London", "America/New_York", "Asia/Tokyo", None)
PEOPLE = 8
CAP_HOURS, SMS_MICROS, SMS_BUDGET = 24, 1_000, 5_000
ROOMS = ("audience", "delivery", "governance", "optimization", "presentation", "workflow")  # whose memories end with the day
SECRETS = {"SENDGRID_KEY": "SG.town", "SENDGRID_HOOK": "", "TWILIO_TOKEN": "the-accounts-token"}
ACCOUNT_SID, SPARE_SID = "AC" + "a" * 32, "AC" + "b" * 32


class Town:
    """Made once; `begin` puts everything back to the same dawn."""

    def __init__(self) -> None:
        self.hooks = StandIn()  # whose key signs the mail vendor's webhooks
        self.people: list[int] = []
        self.ada, self.ben, self.cleo = (make.person(name, now=DAWN - timedelta(days=2)) for name in ("ada", "ben", "cleo"))
        self.names = [f"p{place}" for place in range(PEOPLE)]
        self._build(DAWN - timedelta(days=2))
        self.workspace_id = make.workspace().pk
        self._kept = sqlite3.connect(":memory:")
        connection.ensure_connection()
        connection.connection.backup(self._kept)

    def begin(self) -> None:
        """The same dawn again. Epochs are never used twice in one process, since what is remembered is remembered by them."""
        connection.close()
        connection.ensure_connection()
        try:
            self._kept.backup(connection.connection)
        except sqlite3.OperationalError:  # those who were killed may still hold half-read answers
            gc.collect()
            self._kept.backup(connection.connection)
        (settings.OMNI.data_dir / instance.FILE_NAME).unlink(missing_ok=True)
        for name, module in list(sys.modules.items()):
            if name.split(".", 1)[0] in ROOMS:
                for known, value in list(vars(module).items()):
                    if callable(forget := getattr(value, "cache_clear", None)) and not isinstance(value, type):
                        forget()
                    elif isinstance(value, dict) and re.fullmatch(r"_[a-z]\w*", known):  # what a process remembers by itself
                        value.clear()

    def _build(self, then: datetime) -> None:
        rows = []
        for place, name in enumerate(self.names):
            consents = tuple((channel, "offers", "subscribed") for channel in ("email", "sms"))
            rows.append(
                make.profile(
                    now=then,
                    external_id=name,
                    email=f"{name}@example.com",
                    phone=f"+1415555{place:04d}",
                    zone=ZONES[place % len(ZONES)],
                    country="US" if place % 2 else "GB",
                    consents=consents,
                    attributes={},
                )
            )
        self.people = rows
        make.profile(
            now=then, external_id="seed", email="seed@example.com", phone="+14155559999", country="GB", zone="Europe/London", consents=()
        )
        self._documents(then)

    def _documents(self, then: datetime) -> None:
        mail = {"api_key": "SENDGRID_KEY", "webhook_key": "SENDGRID_HOOK"}
        put(then, "vendor_route", "mail", {"title": "Mail", "channel": "email", "vendor": "sendgrid", "secrets": mail, "seed": "seed"})
        price = {"currency": "USD", "otherwise_micros": SMS_MICROS}
        texts = {"title": "Texts", "channel": "sms", "vendor": "twilio", "price": price, "seed": "seed"}
        texts |= {"settings": {"account_sid": ACCOUNT_SID}}
        put(then, "vendor_route", "texts", {**texts, "secrets": {"auth_token": "TWILIO_TOKEN"}})
        spare = {**texts, "title": "Texts, when the other can't", "weight": 50, "stands_in": True, "settings": {"account_sid": SPARE_SID}}
        put(then, "vendor_route", "texts-spare", {**spare, "secrets": {"auth_token": "TWILIO_TOKEN"}})
        for route in ("mail", "texts", "texts-spare"):
            make.release("vendor_route", route, now=then, author="cleo")
        make.put("attribute", "first_name", make.attribute(title="First name", sensitivity="personal"), now=then)
        make.put("segment", "everyone", make.segment(), now=then)
        quiet = {"start": "21:00", "end": "08:00", "channels": ["sms"], "zone": "America/Los_Angeles"}
        caps = [{"count": 1, "hours": CAP_HOURS}]
        policy = make.policy(caps=caps, quiet_hours=quiet, max_per_request=3, halt={"at_least": 3})
        make.in_force("sending_policy", "manners", policy, now=then)
        make.put("template", "offer", make.template(), now=then)
        make.put("template", "text", make.text_message(), now=then)
        wave = {"ramp": [0.4, 1.0], "soak_minutes": 1, "batch_size": 3, "policy": "manners"}
        hourly = {"type": "schedule", "cron": "0 */3 * * *", "zone": "UTC", "late_limit_minutes": 60}
        make.in_force("campaign", "morning", make.campaign(title="Morning", trigger=hourly, **wave), now=then)
        later = {**hourly, "cron": "30 1-23/4 * * *"}
        budget = {"micros": SMS_BUDGET, "currency": "USD"}
        texting = make.campaign(
            title="Texts", template="text", trigger=later, budget=budget, batch_size=4, policy="manners", recheck="at_send"
        )
        make.in_force("campaign", "texting", texting, now=then)
        make.in_force("campaign", "by-hand", make.campaign(title="By hand", policy="manners", batch_size=2), now=then)
        receipt = make.template(title="Receipt", message_class="transactional", topic=None, locales={"en": _receipt()})
        make.in_force("template", "receipt", receipt, now=then)
        code = make.text_message(message_class="transactional", topic=None)
        make.in_force("template", "code", {**code, "locales": {"en": {"text": "Your code is 123"}}}, now=then)
        on_event = {"type": "event", "event": "signed-up"}
        make.in_force("campaign", "welcome", make.campaign(title="Welcome", template="receipt", trigger=on_event), now=then)


def put(then: datetime, kind: str, key: str, body: dict[str, Any]) -> None:
    """Save as the admin, whom routes need."""
    make.put(kind, key, body, now=then, author="cleo")


def _receipt() -> dict[str, Any]:
    letter = make.letter()
    return {**letter, "blocks": letter["blocks"][:1]}
