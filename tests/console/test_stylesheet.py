"""The console's stylesheet comes as one answer, and a browser that has it asks no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

pytestmark = pytest.mark.django_db


def _sheet_of(page: str) -> str:
    return page.split('<link rel="stylesheet" href="', 1)[1].split('"', 1)[0]


def test_every_component_is_in_the_one_sheet_which_is_kept_for_good() -> None:
    address = _sheet_of(Client().get("/console/sign-in/").content.decode())
    answer = Client().get(address)
    sheet = answer.content.decode()
    assert answer["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in answer["Cache-Control"]
    assert "@import" not in sheet
    for component in (Path(settings.BASE_DIR) / "static" / "css").rglob("*.css"):
        if component.name != "console.css":
            assert component.read_text("utf-8").strip() in sheet, f"{component.name} is not imported by console.css"


def test_an_address_of_before_gets_the_sheet_of_today_but_not_for_good() -> None:
    answer = Client().get("/console/style-0123456789ab.css")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-cache"
