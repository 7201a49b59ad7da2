"""The translation desk: typing, chips, keys, the live preview; wide and narrow, light and dark."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.browser.conftest import Visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

DESK = "/console/templates/spring-sale/translations/"
PICTURES = os.environ.get("DESK_PICTURES", "")  # a folder, to look at them


def _picture(page: Page, name: str) -> None:
    if PICTURES:
        page.wait_for_timeout(1500)
        page.screenshot(path=f"{PICTURES}/{name}.png")


def test_a_language_is_translated_beside_its_preview(visit: Visit) -> None:
    visitor = visit("author")
    page = visitor.open(DESK)
    page.get_by_label("Language").fill("nl")
    page.get_by_role("button", name="Translate").click()
    page.get_by_role("heading", name="English → Dutch").wait_for()
    field = page.get_by_label("Subject", exact=True)
    field.fill("De lente is er")
    chips = page.locator("[data-unit]").first.locator("[data-insert]")
    for chip in chips.all():
        chip.click()
    assert page.locator("[data-unit]").first.locator("[data-insert]:not([data-used])").count() == 0
    field.press("Alt+ArrowDown")
    assert page.evaluate("document.activeElement.name") != "text:subject"
    page.keyboard.press("Control+s")
    page.get_by_text("Saved as revision").wait_for()
    assert page.get_by_text("1 draft").is_visible()
    _picture(page, "desk-wide-light")
    _picture(visitor.open(DESK, scheme="dark"), "languages-dark")
    _picture(visitor.open(DESK + "de/", scheme="dark"), "desk-wide-dark")
    _picture(visitor.open(DESK + "ar/", width=390), "desk-narrow-rtl")
    _picture(visitor.open(DESK, width=390), "languages-narrow")
