"""The filters of expressions: pure, bounded, total on plain values of their type."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import dates, lists, numbers
from babel.numbers import UnknownCurrencyError
from jinja2 import Undefined

from presentation.door import LARGEST, MAX_VALUE_CHARS, babel_locale, plain, plural_form
from rendering.escapes import Unrenderable, missing, show

_FRACTION = re.compile(r"\.[0#]+")
_LAST_ZERO = re.compile(r"0(?=[^0#]*$)")
_WORD = re.compile(r"(^|[\s\-(\[{<\"“‘])(\w)")


def filters_for(tag: str) -> dict[str, Callable[..., Any]]:
    """Every filter, bound to one locale."""
    locale = babel_locale(tag)

    def number(value: object, digits: int | None = None) -> str:
        pattern = locale.decimal_formats[None].pattern
        if digits is None:
            return str(numbers.format_decimal(_number(value), format=pattern, locale=locale))
        return str(numbers.format_decimal(_rounded(value, digits), format=_with_digits(pattern, digits), locale=locale))

    def percent(value: object, digits: int = 0) -> str:
        pattern = _with_digits(locale.percent_formats[None].pattern, digits)
        return str(numbers.format_percent(_rounded(value, digits + 2), format=pattern, locale=locale))

    def money(value: object, currency: object) -> str:
        code = _text(currency)
        try:
            numbers.validate_currency(code)
        except UnknownCurrencyError:
            raise Unrenderable("an unknown currency") from None
        return str(numbers.format_currency(_rounded(value, numbers.get_currency_precision(code)), code, locale=locale))

    def day(value: object, style: str = "medium") -> str:
        return str(dates.format_date(_day(value), format=style, locale=locale))

    def clock(value: object, style: str = "short", zone: object = "UTC") -> str:
        return str(dates.format_time(_moment(value), format=_seconds(style), tzinfo=_zone(zone), locale=locale))

    def moment(value: object, style: str = "medium", zone: object = "UTC") -> str:
        return str(dates.format_datetime(_moment(value), format=style, tzinfo=_zone(zone), locale=locale))

    def plural(value: object, *forms: str) -> str:
        said = dict(map(plural_form, forms))
        words = said.get(locale.plural_form(_shown_number(value)), said["other"])
        return words.replace("#", number(value))

    def listed(value: object, joint: str = "and") -> str:
        return str(lists.format_list(_items(value), style="or" if joint == "or" else "standard", locale=locale))

    bound: dict[str, Callable[..., Any]] = {
        "number": number,
        "percent": percent,
        "money": money,
        "date": day,
        "time": clock,
        "datetime": moment,
        "plural": plural,
        "list": listed,
    }
    return {**_EVERYWHERE, **bound}


def default(value: object, other: object) -> object:
    """`other` where the value is missing."""
    return other if isinstance(value, Undefined) else value


def upper(value: object) -> str:
    return _text(value).upper()


def lower(value: object) -> str:
    return _text(value).lower()


def title(value: object) -> str:
    return _WORD.sub(lambda match: match.group(1) + match.group(2).upper(), _text(value))


def capitalize(value: object) -> str:
    text = _text(value)
    return text[:1].upper() + text[1:]


def trim(value: object) -> str:
    return _text(value).strip()


def truncate(value: object, length: int, end: str = "…") -> str:
    """At most `length` characters, cut after a word where there is one in the second half."""
    text = _text(value)
    if len(text) <= length:
        return text
    kept = text[: max(0, length - len(end))]
    space = kept.rfind(" ")
    return ((kept[:space] if space > length // 2 else kept).rstrip() + end)[:length]


def replace(value: object, old: str, new: str) -> str:
    text = _text(value)
    if old and len(text) + text.count(old) * len(new) > MAX_VALUE_CHARS * 2:
        raise Unrenderable("a value of more than 32 KiB")
    return text.replace(old, new) if old else text


def rounded(value: object, digits: int = 0) -> int | float:
    amount = _rounded(value, digits)
    return (float(amount) if digits else int(amount)) or 0


def absolute(value: object) -> int | float:
    return abs(_number_as_given(value))


def length(value: object) -> int:
    _present(value)
    if isinstance(value, (str, list, dict)):
        return len(value)
    raise Unrenderable("|length of something that has none")


def first(value: object) -> object:
    return _item(value, 0)


def last(value: object) -> object:
    return _item(value, -1)


def each(value: object, name: str) -> list[object]:
    """One field of each item, those that lack it left out."""
    _present(value)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Unrenderable("|each of something that is no list of objects")
    return [item[name] for item in value if name in item]


def join(value: object, separator: str = ", ") -> str:
    return separator.join(_items(value, len(separator)))


_EVERYWHERE: dict[str, Callable[..., Any]] = {
    "default": default,
    "upper": upper,
    "lower": lower,
    "title": title,
    "capitalize": capitalize,
    "trim": trim,
    "truncate": truncate,
    "replace": replace,
    "round": rounded,
    "abs": absolute,
    "length": length,
    "first": first,
    "last": last,
    "each": each,
    "join": join,
}


def _items(value: object, between: int = 16) -> list[str]:
    """The items of a list as text. between: characters that come between two of them."""
    _present(value)
    if not isinstance(value, list):
        raise Unrenderable("|join or |list of something that is no list")
    items = [show(item) for item in value]
    if sum(map(len, items)) + between * len(items) > MAX_VALUE_CHARS:
        raise Unrenderable("a value of more than 32 KiB")
    return items


def _shown_number(value: object) -> int | Decimal:
    """A number as it is shown without a number of digits: at most three decimals, none where it is whole."""
    amount = _number(value).quantize(Decimal("0.001")).normalize()
    return int(amount) if amount == amount.to_integral_value() else amount


def _present(value: object) -> None:
    if isinstance(value, Undefined):
        raise Unrenderable(missing(value))


def _text(value: object) -> str:
    return value if type(value) is str else show(value)


def _number_as_given(value: object) -> int | float:
    _present(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unrenderable("a number is needed")
    return value


def _number(value: object) -> Decimal:
    return Decimal(repr(_number_as_given(value)))


def _rounded(value: object, digits: int) -> Decimal:
    return _number(value).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def _with_digits(pattern: str, digits: int) -> str:
    """A CLDR number pattern with exactly so many decimals: #,##,##0.### with 2 is #,##,##0.00."""
    whole = _FRACTION.sub("", pattern.split(";")[0])
    return _LAST_ZERO.sub("0." + "0" * digits, whole) if digits else whole


def _item(value: object, place: int) -> object:
    _present(value)
    if not isinstance(value, list):
        raise Unrenderable("|first or |last of something that is no list")
    if not value:
        raise Unrenderable("|first or |last of an empty list")
    return value[place]


def _day(value: object) -> date:
    _present(value)
    if isinstance(value, str):  # inside lists and objects, where nobody says which text is a date
        try:
            return date.fromisoformat(value) if len(value) == len("2026-11-30") else cast("date", plain(value, "datetime"))
        except ValueError:
            raise Unrenderable("a date is needed") from None
    if not isinstance(value, date):
        raise Unrenderable("a date is needed")
    return value


def _moment(value: object) -> datetime:
    day = _day(value)
    return day if isinstance(day, datetime) else datetime.combine(day, time(), UTC)


def _seconds(style: str) -> str:
    return "medium" if style in {"long", "full"} else style


def _zone(zone: object) -> ZoneInfo:
    try:
        return ZoneInfo(_text(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Unrenderable("an unknown time zone") from None


def bounded(value: object) -> int | float:
    """The result of arithmetic, or Unrenderable beyond 2^53."""
    if not isinstance(value, (int, float)) or not abs(value) <= LARGEST:
        raise Unrenderable("a number beyond 2^53")
    return value or 0
