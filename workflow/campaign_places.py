"""Where the campaign editor shows what is wrong, and what it calls that place."""

from __future__ import annotations

import re
from collections.abc import Mapping

from governance.door import Body, look_up, mapped

LIMITS = {
    "/ramp": "Waves",
    "/soak_minutes": "Watch each wave for",
    "/expires_after_hours": "Of no use after",
    "/budget": "Budget",
    "/currency": "Currency",
    "/recheck": "Who is in the audience",
    "/policy": "Sending policy",
    "/theme": "Theme",
    "/route": "Vendor route",
    "/priority": "Priority",
    "/batch_size": "People per batch",
}
"""What the fields of the editor's folded part are called."""
LABELS = {
    "/title": "Title",
    "/key": "Key",
    "/description": "What it is for",
    "/segment": "Segment",
    "/holdout": "Left alone",
    "/template": "Template",
    "/variants": "Variants",
    "/trigger": "When",
    "/trigger/at": "Date and time",
    "/trigger/cron": "Own cron line",
    "/trigger/often/time": "Time of day",
    "/trigger/zone": "Time zone",
    "/trigger/late_limit_minutes": "May be late by",
    "/trigger/event": "Event",
    "/trigger/delay_minutes": "Wait",
    "/trigger/where": "Only if",
    **LIMITS,
}
VARIANT_PARTS = {"key": ", name", "template": ", template", "weight": ", weight"}


def place(path: str, form: Body) -> str:
    """The pointer of the editor's field for a pointer of the body."""
    path = re.sub(r"^/ramp/\d+$", "/ramp", path)
    path = {"/budget/micros": "/budget", "/budget/currency": "/currency"}.get(path, path)
    trigger = form.get("trigger")
    if path == "/trigger/cron" and mapped(mapped(trigger).get("often")).get("every", "own") != "own":
        return "/trigger/often/time"
    if isinstance(trigger, Mapping) and "only" in trigger:
        return re.sub(r"^/trigger/where(?:/all/(\d+))?(?:/.*)?$", lambda found: f"/trigger/only/{found[1] or 0}", path)
    return path


def label(path: str, form: Body) -> str:
    """What the editor calls the field at this pointer: "Variant 2 (b), template"."""
    if found := re.match(r"/variants/(\d+)(?:/([^/]+))?", path):
        name = mapped(look_up(form, f"/variants/{found[1]}")).get("key")
        return f"Variant {int(found[1]) + 1}" + (f" ({name})" if name else "") + VARIANT_PARTS.get(found[2] or "", "")
    if found := re.match(r"/trigger/only/(\d+)", path):
        return f"Only if, part {int(found[1]) + 1}"
    return LABELS.get(path, "")
