"""When a campaign starts, as its editor asks for it and reads it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from governance.door import Body, ConsoleRequest, Invalid, mapped, parse, zone_names
from workflow.cron import explain_cron, times
from workflow.documents import Schedule
from workflow.schedule_fields import DAYS, EVERY, USUAL, WEEKDAYS, cron_line


def planned(request: ConsoleRequest, form: Body) -> dict[str, Any]:
    """The trigger, with the fields of its schedule if it has one; a new plan is one in the reader's time zone."""
    trigger = mapped(form.get("trigger")) or {"type": "manual"}
    new = mapped(mapped(form.get("was")).get("trigger")).get("type") != trigger.get("type")
    zone = trigger.get("zone") or (_reader_zone(request) if new else "")
    often = mapped(trigger.get("often")) or USUAL
    plan = {"cron": cron_line(often, trigger.get("cron")), **({"zone": zone} if zone else {})}
    return {
        "trigger": {**trigger, **plan},
        "zone": zone,
        "often": often,
        "every": EVERY,
        "weekdays": WEEKDAYS.items(),
        "days": DAYS,
        "schedule": schedule_words({**trigger, **plan}, timezone.now()) if trigger.get("type") == "schedule" else None,
    }


def _reader_zone(request: ConsoleRequest) -> str:
    """The zone that the reader's browser told us, "" before it did."""
    name = request.COOKIES.get("zone", "").replace("%2F", "/")
    return name if name in zone_names() else ""


def schedule_words(trigger: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
    """What a schedule says, and its next three times as the clocks there show them; None while it says no time."""
    try:
        plan = parse(Schedule, {name: trigger[name] for name in ("type", "cron", "zone") if name in trigger})
    except Invalid:
        return None
    coming = [at.astimezone(ZoneInfo(plan.zone)) for at in islice(times(plan.cron, plan.zone, now), 3)]
    return {"words": explain_cron(plan.cron, plan.zone), "times": [f"{at:%a} {at.day} {at:%b %Y, %H:%M %Z}" for at in coming]}
