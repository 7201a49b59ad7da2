"""The page on which somebody confirms, as they see it: readable in every width and direction, operable by keyboard without a script."""

from __future__ import annotations

import os
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.workflow.test_double_opt_in import Town

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PICTURES = os.environ.get("OMNI_TEST_PICTURES", "")  # a folder, where somebody wants to look at them


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "language"), [(320, "ar"), (360, "de"), (1280, "zh-Hans"), (1280, "en")])
def test_the_page_fits_and_has_no_serious_fault(browser: Browser, live_server: Any, scheme: Any, width: int, language: str) -> None:
    town = Town()
    ann = town.somebody(locale=language)
    town.says(ann)
    town.work()
    [link] = town.links()
    context = browser.new_context(viewport={"width": width, "height": 700}, color_scheme=scheme)
    page, faults = context.new_page(), list[str]()
    page.on("console", lambda message: faults.append(message.text) if message.type in {"error", "warning"} else None)
    for step in ("asked", "confirmed", "over"):
        if step == "asked":
            page.goto(f"{live_server.url}/c/{link}")
        elif step == "confirmed":
            page.get_by_role("button").click()
            page.get_by_role("status").wait_for()
        else:
            town.says(ann, state="unsubscribed", source="link")
            page.goto(f"{live_server.url}/c/{link}")
            faults = [fault for fault in faults if "410" not in fault]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page).response["violations"] if not faults else []
        assert [fault["id"] for fault in found if fault["impact"] in {"serious", "critical"}] == [] and faults == []
        if PICTURES:
            page.screenshot(path=f"{PICTURES}/{step}-{language}-{width}-{scheme}.png", full_page=True)
    context.close()


def test_somebody_confirms_with_the_keyboard_and_without_a_script(browser: Browser, live_server: Any) -> None:
    town = Town()
    ann = town.somebody()
    town.says(ann)
    town.work()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{live_server.url}/c/{town.links()[0]}")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()
    assert town.may(ann) and context.cookies() == []
    context.close()
