"""Numbers, money, moments and small charts as people read them: separators, units, zones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.template import Context, Library
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = Library()
SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CNY": "CN¥", "INR": "₹"}
MICROS = 1_000_000


@register.filter
def count(value: Any) -> str:
    """12408 → "12,408"; nothing → "–"."""
    return "–" if value is None or value == "" else f"{int(value):,}"


@register.filter
def number(value: Any) -> str:
    """A number that isn't a count of things: "1,372.86", "5", "0.0042"; nothing → "–"."""
    if value is None or value == "":
        return "–"
    size = abs(float(value))
    digits = 2 if size >= 1 or not size else 1 - math.floor(math.log10(size))
    text = f"{float(value):,.{min(digits, 20)}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")


@register.filter
def plain(value: Any) -> str:
    """A number without separators, for addresses, ids and attributes."""
    return str(value)


@register.filter
def engine(name: str) -> str:
    """What answered for an audience: "elasticsearch + database" → "Elasticsearch and the database"."""
    return " and ".join("Elasticsearch" if each == "elasticsearch" else f"the {each}" for each in str(name).split(" + "))


@register.filter
def words(value: Any) -> str:
    """A value of a profile or a document as people write it: yes and no, lists with commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(words(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {words(item)}" for name, item in value.items())
    return "–" if value is None or value == "" else str(value)


@register.filter
def ended(text: Any) -> str:
    """A sentence that somebody typed, with its full stop: another follows it."""
    said = str(text).strip()
    return said if not said or said[-1] in ".!?…" else f"{said}."


@register.filter
def plural(value: Any, noun: str) -> str:
    """1 → "1 person", 12408 → "12,408 people". noun: "message", or "person,people"."""
    one, _, many = noun.partition(",")
    number = int(value or 0)
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def share_words(part: float, whole: float) -> str:
    """The share with one digit: "3.1 %", "5.0 %", "<0.1 %"; whole only where it is nothing or all; nothing without a whole."""
    if not whole:
        return ""
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "<0.1 %"
    if 99.9 < percent < 100:
        return ">99.9 %"
    return f"{percent:.1f} %" if 0 < percent < 100 else f"{percent:.0f} %"


@register.simple_tag
def share(part: Any, whole: Any) -> str:
    """`{% share 369 11902 %}` → "3.1 % of 11,902"."""
    words = share_words(float(part or 0), float(whole or 0))
    return f"{words} of {int(whole):,}" if words else "–"


@register.simple_tag
def percent(part: Any, whole: Any) -> str:
    """The share alone, where the count stands beside it."""
    return share_words(float(part or 0), float(whole or 0)) or "–"


@register.filter
def as_percent(value: Any) -> str:
    """0.2 → "20 %": a share that a person chose, as they chose it."""
    return share_words(float(value or 0), 1.0).replace(".0 %", " %") or "0 %"


@register.simple_tag
def money(micros: Any, currency: str = "USD") -> str:
    """Millionths of a unit as money: `{% money 18620000 "USD" %}` → "$18.62". Less than a cent: "under $0.01"."""
    if micros is None:
        return "–"
    amount = Decimal(int(micros)) / MICROS
    digits = 0 if currency == "JPY" else 2
    least = Decimal(1).scaleb(-digits)
    return f"under {_sum(least, currency, digits)}" if 0 < amount < least else _sum(amount, currency, digits)


@register.simple_tag
def unit_price(micros: Any, currency: str = "USD") -> str:
    """The exact price of one thing, with as many digits as it has, but four at least: "$0.0004", "$0.0750", "$0.00035"."""
    if micros is None:
        return "–"
    amount = Decimal(int(micros)) / MICROS
    exact = -int(amount.normalize().as_tuple().exponent)
    return _sum(amount, currency, max(4, exact))


def _sum(amount: Decimal, currency: str, digits: int) -> str:
    sign, text = SIGNS.get(currency), f"{abs(amount):,.{digits}f}"
    return ("−" if amount < 0 else "") + (f"{sign}{text}" if sign else f"{text} {currency}")


def reader_zone(context: Context | Mapping[str, Any]) -> ZoneInfo:
    """The zone that the reader's browser told us, UTC before it did."""
    request = context.get("request")
    name = request.COOKIES.get("zone", "").replace("%2F", "/") if request else ""
    try:
        return ZoneInfo(name) if name and len(name) < 64 else ZoneInfo("UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


@register.simple_tag(takes_context=True)
def moment(context: Context, when: Any, form: str = "full") -> SafeString | str:
    """A moment in the reader's zone, which is named. form: full, short (no zone word), day, relative, or recent (relative for a day)."""
    if not when:
        return "–"
    if isinstance(when, str):
        when = datetime.fromisoformat(when)
    if timezone.is_naive(when):
        when = when.replace(tzinfo=UTC)
    zone, now = reader_zone(context), timezone.now()
    local = when.astimezone(zone)
    full = f"{_day(local, now.astimezone(zone))}, {local:%H:%M} {local:%Z}"
    if form == "recent":
        form = "relative" if abs(now - when) < timedelta(days=1) else "full"
    words = {"full": full, "short": full.rsplit(" ", 1)[0], "day": _day(local, now.astimezone(zone)), "relative": ago(when, now)}[form]
    exact = f"{local:%Y-%m-%d %H:%M:%S} {zone.key}"
    return format_html(
        '<time datetime="{}" title="{}" class="nowrap">{}</time>', when.astimezone(UTC).isoformat(timespec="seconds"), exact, words
    )


@register.simple_tag(takes_context=True)
def moment_words(context: Context, when: datetime) -> str:
    """The same as plain text, for options and labels."""
    zone = reader_zone(context)
    local = when.astimezone(zone)
    return f"{_day(local, timezone.now().astimezone(zone))}, {local:%H:%M} {local:%Z}"


def _day(local: datetime, today: datetime) -> str:
    return f"{local.day} {local:%b}" if local.year == today.year else f"{local.day} {local:%b %Y}"


def ago(when: datetime, now: datetime) -> str:
    """ "just now", "4 min ago", "in 3 h", "2 days ago"."""
    seconds = (now - when).total_seconds()
    size = abs(seconds)
    if size < 45:
        return "just now" if seconds >= 0 else "in a moment"
    steps = ((3_600, 60, "min", "min"), (86_400, 3_600, "h", "h"), (math.inf, 86_400, "day", "days"))
    for below, unit, one, many in steps:
        if size < below:
            number = max(1, round(size / unit))
            words = f"{number} {one if number == 1 else many}"
            return f"{words} ago" if seconds > 0 else f"in {words}"
    return ""


@register.filter
def duration(value: Any) -> str:
    """A timedelta or seconds: "0.4 s", "3 min 20 s", "2 h 5 min", "3 days"."""
    if value is None:
        return "–"
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 10:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    whole = round(seconds)
    for unit, size, below, smaller in (("day", 86_400, 3_600, "h"), ("h", 3_600, 60, "min"), ("min", 60, 1, "s")):
        if whole >= size:
            big, rest = divmod(whole, size)
            word = "days" if unit == "day" and big > 1 else unit
            return f"{big} {word}" + (f" {rest // below} {smaller}" if rest // below else "")
    return f"{whole} s"


@register.inclusion_tag("components/bars.html")
def bars(rows: Iterable[Sequence[Any]], whole: Any = None, tone: str = "") -> dict[str, Any]:
    """Horizontal bars from zero, each labelled directly. rows: (label, value[, href[, tone]]); whole: shares of this."""
    listed = [tuple(row) for row in rows]
    top = max([float(row[1] or 0) for row in listed], default=0.0) or 1.0
    drawn = [
        {
            "label": row[0],
            "value": int(row[1] or 0),
            "href": row[2] if len(row) > 2 else "",
            "tone": (row[3] if len(row) > 3 else "") or tone,
            "width": f"{100 * float(row[1] or 0) / (float(whole) if whole else top):.2f}",
            "share": share_words(float(row[1] or 0), float(whole)) if whole else "",
        }
        for row in listed
    ]
    return {"rows": drawn}


@register.inclusion_tag("components/columns_chart.html", takes_context=True)
def hourly_chart(context: Context, rows: Iterable[tuple[datetime, Any]], title: str, unit: str = "", tone: str = "") -> dict[str, Any]:
    """The same over hours, named in the reader's zone. rows: (when the hour begins, value)."""
    return columns_chart([(moment_words(context, begins), value) for begins, value in rows], title, unit, tone)


@register.inclusion_tag("components/columns_chart.html")
def columns_chart(rows: Iterable[tuple[str, Any]], title: str, unit: str = "", tone: str = "") -> dict[str, Any]:
    """Vertical bars from zero over time, with the same numbers in a table beside. rows: (label, value)."""
    listed = [(str(label), int(value or 0)) for label, value in rows]
    width, height = 900, 120
    step = width / max(1, len(listed))
    top = max([value for _, value in listed], default=0)
    scale = top or 1
    drawn = [
        {
            "x": f"{place * step + step * 0.12:.1f}",
            "y": f"{height - height * value / scale:.1f}",
            "width": f"{step * 0.76:.1f}",
            "height": f"{height * value / scale:.1f}",
            "label": label,
            "value": value,
        }
        for place, (label, value) in enumerate(listed)
    ]
    first, last = (listed[0][0], listed[-1][0]) if listed else ("", "")
    return {
        "bars": drawn,
        "title": title,
        "unit": unit,
        "tone": tone,
        "top": top,
        "first": first,
        "last": last,
        "width": width,
        "height": height,
    }
