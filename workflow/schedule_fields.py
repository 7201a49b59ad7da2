"""A schedule as people say it ("every week on Monday at 09:00"), and the cron line that says the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from governance.door import Body

EVERY = (("day", "day"), ("weekdays", "weekday (Mon–Fri)"), ("week", "week"), ("month", "month"), ("own", "Own cron line"))
WEEKDAYS = {
    "MON": "Monday",
    "TUE": "Tuesday",
    "WED": "Wednesday",
    "THU": "Thursday",
    "FRI": "Friday",
    "SAT": "Saturday",
    "SUN": "Sunday",
}
DAYS = tuple(str(day) for day in range(1, 32))
USUAL: Body = {"every": "week", "weekday": "MON", "day": "1", "time": "09:00"}
"""What a new schedule begins with."""
_NAMES = ("SUN", *WEEKDAYS)  # as cron numbers them; both 0 and 7 are Sunday


def schedule_fields(line: Any) -> Body:
    """The fields that say what this cron line says; `every` is `own` for a line that only cron can say."""
    parts = str(line or "").upper().split()
    if not parts:
        return dict(USUAL)
    own = {**USUAL, "every": "own"}
    if len(parts) != 5 or not all(re.fullmatch(r"\d{1,2}", part) for part in parts[:2]) or int(parts[0]) > 59 or int(parts[1]) > 23:
        return own
    said = {**USUAL, "time": f"{int(parts[1]):02}:{int(parts[0]):02}"}
    day, month, weekday = parts[2:]
    if re.fullmatch(r"[0-7]", weekday):
        weekday = _NAMES[int(weekday)]
    if (day, month, weekday) == ("*", "*", "*"):
        return {**said, "every": "day"}
    if (day, month) == ("*", "*") and weekday in {"MON-FRI", "1-5"}:
        return {**said, "every": "weekdays"}
    if (day, month) == ("*", "*") and weekday in WEEKDAYS:
        return {**said, "every": "week", "weekday": weekday}
    if day in DAYS and (month, weekday) == ("*", "*"):
        return {**said, "every": "month", "day": day}
    return own


def cron_line(fields: Mapping[str, Any], own: Any) -> str:
    """The cron line that the fields say: `own` where they say so, "" where the time is none."""
    every, at = fields.get("every"), re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)(?::00)?", str(fields.get("time", "")).strip())
    if every not in {"day", "weekdays", "week", "month"}:
        return str(own or "").strip()
    if not at:
        return ""
    days = {"day": "* * *", "weekdays": "* * MON-FRI", "week": f"* * {fields.get('weekday')}", "month": f"{fields.get('day')} * *"}[every]
    return f"{int(at[2])} {int(at[1])} {days}"


def kept_line(fields: Mapping[str, Any], own: Any, before: Any) -> str:
    """The same, but a line that said so already keeps its spelling."""
    line = cron_line(fields, own)
    return before if isinstance(before, str) and line == cron_line(schedule_fields(before), before) else line
