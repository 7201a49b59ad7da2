"""Lists by cursor: stable while rows come and go, cheap on the last page, and no page numbers to guess."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, TypedDict, TypeVar

from django.db.models import Field, Model, Q, QuerySet
from django.http import HttpRequest
from drf_spectacular.utils import OpenApiParameter

from governance.findings import Finding, Invalid, shorten

R = TypeVar("R", bound=Model)
USUAL, MOST = 50, 200
PAGING = [  # how the API's lists declare it
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}, description="rows of one page"),
    OpenApiParameter("cursor", str, description="`next` of the page before"),
]


class Page(TypedDict):
    """One page of a list. next: give it as `?cursor=` for the following page; null on the last one."""

    items: list[Any]
    next: str | None


def page(queryset: QuerySet[R], request: HttpRequest | Any, serialize: Callable[[R], Any], order: Sequence[str]) -> Page:
    """The page that `?cursor=&limit=` asks for. order: field names, "-" for descending; the last must be unique.

    limit is 1 to 200 (default 50). Raises Invalid naming the parameter.
    """
    asked = request.GET
    limit = _limit(asked.get("limit", ""))
    rows = queryset.order_by(*order)
    if cursor := asked.get("cursor", ""):
        rows = rows.filter(_after(queryset.model, order, _read(cursor, len(order))))
    found = list(rows[: limit + 1])
    more = len(found) > limit
    return {"items": [serialize(row) for row in found[:limit]], "next": _write(found[limit - 1], order) if more else None}


def whole_number(text: str, digits: int = 18) -> int | None:
    """The number that a text of at most so many ASCII digits is; None for every other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


def _limit(text: str) -> int:
    if not text:
        return USUAL
    if not 1 <= (whole_number(text, 4) or 0) <= MOST:
        raise Invalid([Finding("error", "/limit", shorten(text), f"a whole number from 1 to {MOST}")])
    return int(text)


def _after(model: type[Model], order: Sequence[str], values: list[Any]) -> Q:
    """Rows behind the cursor's in this order: (a > x) or (a = x and b > y) or …"""
    behind, equal = Q(pk__in=[]), Q()
    for name, given in zip(order, values, strict=True):
        field = name.lstrip("-")
        value = _value(model, field, given)
        behind |= equal & Q(**{f"{field}__{'lt' if name.startswith('-') else 'gt'}": value})
        equal &= Q(**{field: value})
    return behind


def _value(model: type[Model], name: str, given: Any) -> Any:
    field: Field[Any, Any] | None = None
    for part in name.split("__"):
        field = model._meta.get_field(part) if part != "pk" else model._meta.pk  # type: ignore[assignment]
        model = getattr(field, "related_model", None) or model
    assert field is not None
    try:
        value = field.to_python(given)
    except Exception as error:  # each field has its own way to say no
        raise _bad_cursor() from error
    if isinstance(value, int) and abs(value) >= 2**63 or isinstance(value, str) and "\0" in value or value is None:
        raise _bad_cursor()
    return value


def _write(row: Model, order: Sequence[str]) -> str:
    values = [_attribute(row, name.lstrip("-")) for name in order]
    text = json.dumps([value if isinstance(value, int | str) else str(value) for value in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _attribute(row: Any, path: str) -> Any:
    for part in path.split("__"):
        row = getattr(row, part)
    return row


def _read(cursor: str, parts: int) -> list[Any]:
    try:
        values = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        raise _bad_cursor() from None
    if len(cursor) > 1_000 or not isinstance(values, list) or len(values) != parts:
        raise _bad_cursor()
    if not all(isinstance(value, int | str) for value in values):
        raise _bad_cursor()
    return values


def _bad_cursor() -> Invalid:
    return Invalid([Finding("error", "/cursor", "a cursor that no list gave", "the `next` of an earlier page, unchanged")])
