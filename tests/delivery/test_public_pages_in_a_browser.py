"""The pages people outside see, as they see them: readable, operable by keyboard, from left and from right."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser

from audience import door as audience
from governance import door as governance
from tests.delivery.sent import Sent, sent

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def now() -> datetime:
    return timezone.now() - timedelta(seconds=5)


def consenting(mail: Sent) -> set[int]:
    home = governance.default_workspace().pk
    return audience.consenting(home, mail.people, channel="email", topic="offers", message_class="promotional", now=timezone.now())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "language"), [(320, "ar"), (360, "de"), (1280, "ja")])
def test_the_public_pages_fit_and_have_no_serious_fault(
    browser: Browser, live_server: Any, now: datetime, scheme: Any, width: int, language: str
) -> None:
    mail = sent(1, now=now)
    home = governance.default_workspace().pk
    external = audience.load(home, mail.people)[0].external_id
    audience.upsert(home, [audience.ProfileRow(external_id=external, locale=language)], source="tests", now=now)
    context = browser.new_context(viewport={"width": width, "height": 700}, color_scheme=scheme)
    page, faults = context.new_page(), list[str]()
    page.on("console", lambda message: faults.append(message.text) if message.type in {"error", "warning"} else None)
    for where in ("u", "p"):
        page.goto(f"{live_server.url}/{where}/{mail.tokens[0]}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page).response["violations"] if not faults else []
        assert [fault["id"] for fault in found if fault["impact"] in {"serious", "critical"}] == [] and faults == []
    context.close()


def test_a_person_leaves_with_the_keyboard_and_without_a_cookie(browser: Browser, live_server: Any, now: datetime) -> None:
    mail = sent(1, now=now)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{live_server.url}/u/{mail.tokens[0]}")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()
    assert consenting(mail) == set() and context.cookies() == []
    assert "promotional" in page.get_by_role("status").inner_text(), "the second choice was everything"
    context.close()


def test_a_person_switches_a_topic_off_with_the_keyboard_and_without_a_script(browser: Browser, live_server: Any, now: datetime) -> None:
    mail = sent(1, now=now)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{live_server.url}/p/{mail.tokens[0]}")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()
    assert consenting(mail) == set() and not page.get_by_role("switch").is_checked() and context.cookies() == []
    context.close()
