from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from django.test import RequestFactory

from governance.door import Invalid, page
from governance.models import Revision
from tests.governance.office import Office
from tests.tables import over


def listed(order: list[str], **query: str) -> Any:
    request = RequestFactory().get("/", query)
    return page(Revision.objects.all(), request, lambda row: row.number, order)


def test_a_list_is_walked_once_though_rows_come_meanwhile(office: Office) -> None:
    for number in range(7):
        office.save(office.ada, "page", "welcome", text=f"Hello {number}")
    seen: list[int] = []
    cursor = ""
    while True:
        answer = listed(["-created_at", "-id"], limit="3", **({"cursor": cursor} if cursor else {}))
        seen += answer["items"]
        office.save(office.ada, "page", "other", text=f"{len(seen)}")
        if not (cursor := answer["next"]):
            break
    assert seen == [7, 6, 5, 4, 3, 2, 1]


def test_equal_values_are_told_apart_by_the_last_field(office: Office) -> None:
    for number in range(5):
        office.save(office.ada, "page", f"page-{number}", text="Hi")
    first = listed(["number", "id"], limit="2")
    second = listed(["number", "id"], limit="50", cursor=first["next"])
    assert len(first["items"]) + len(second["items"]) == 5
    assert second["next"] is None


@over("limit", ["0", "201", "-1", "x", "9" * 30, "1.5", "٣"])
def test_a_wrong_limit_is_named(office: Office, limit: str) -> None:
    with pytest.raises(Invalid) as caught:
        listed(["-id"], limit=limit)
    assert caught.value.findings[0].path == "/limit"


def cursor(*values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "forged",
    [
        "x",
        "!!!",
        "é",
        cursor(),
        cursor("yesterday", 1),
        cursor(None, 1),
        cursor({}, 1),
        cursor("2026-01-01T00:00:00Z", 2**70),
        cursor("2026-01-01", "x"),
        "A" * 2_000,
        cursor(1, 2, 3),
    ],
)
def test_a_cursor_that_no_list_gave_is_refused(office: Office, forged: str) -> None:
    office.save(office.ada, "page", "welcome", text="Hi")
    with pytest.raises(Invalid) as caught:
        listed(["-created_at", "-id"], cursor=forged)
    assert caught.value.findings[0].path == "/cursor"
