"""Every page: no accessibility fault, no overflow, no policy violation; light and dark, from 360 to 1440 pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.browser.conftest import Visit, Visitor, settled

if TYPE_CHECKING:
    from playwright.sync_api import Page


WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 360, "height": 740}  # pixels
OF_LOOKS = ("color-contrast", "target-size", "link-in-text-block", "scrollable-region-focusable")  # what width and scheme change
PAGES = (
    "/console/",
    "/console/search/?q=spring",
    "/console/components/",
    "/console/campaigns/",
    "/console/campaigns/spring-sale/",
    "/console/campaigns/weekly-digest/",
    "/console/campaigns/welcome/",
    "/console/campaigns/spring-sale/preview/",
    "/console/campaigns/spring-sale/checks/",
    "/console/campaigns/spring-sale/history/",
    "/console/campaigns/spring-sale/approvals/",
    "/console/campaigns/spring-sale/?as=yaml",
    "/console/campaigns/weekly-digest/launch/",
    "/console/new/campaigns/",
    "/console/runs/",
    "/console/runs/1/",
    "/console/templates/",
    "/console/templates/spring-sale/",
    "/console/templates/spring-sale/preview/?locale=pt&scheme=dark&width=phone",
    "/console/templates/spring-sale/translations/",
    "/console/templates/spring-sale/translations/ar/",
    "/console/templates/stay-reminder/",
    "/console/new/templates/",
    "/console/segments/",
    "/console/segments/spring-travellers/",
    "/console/segments/spring-travellers/preview/?person=wf-000017&with=digest-readers",
    "/console/segments/spring-travellers/explore/?by=attribute:stays",
    "/console/segments/digest-readers/explore/?by=attribute:signup_date",
    "/console/compare/segments/",
    "/console/new/segments/",
    "/console/approvals/",
    "/console/approvals/1/",
    "/console/messages/",
    "/console/messages/?q=wf-000017",
    "/console/messages/?q=wf-000017&dispatch=1",
    "/console/messages/?dispatch=1&reason=holdout",
    "/console/messages/?dispatch=1&reason=suppressed",
    "/console/profiles/",
    "/console/profiles/17/",
    "/console/delivery/",
    "/console/delivery/in-doubt/",
    "/console/delivery/routes/",
    "/console/delivery/domains/",
    "/console/delivery/domains/wayfare.example/",
    "/console/delivery/webhooks/",
    "/console/senders/",
    "/console/delivery/suppressions/?address=nobody@example.com",
    "/console/outbox/",
    "/console/outbox/1/",
    "/console/settings/",
    "/console/people/",
    "/console/api-keys/",
    "/console/audit/",
    "/console/attributes/",
    "/console/attributes/stays/",
    "/console/attributes/stays/preview/",
    "/console/sending-policies/default/",
    "/console/vendor-routes/",
    "/console/approval-policies/default/",
    "/console/new/content-sources/",
    "/console/new/opt-ins/",
    "/console/new/vendor-routes/",
)


@pytest.fixture(scope="module")
def reader(arrive: Callable[..., Visitor]) -> Iterator[tuple[Visitor, Page]]:
    """One admin who reads every page in one tab: as anybody's browser, it keeps what it has got of styles and scripts."""
    visitor = arrive("admin")
    yield visitor, visitor.open("/console/")
    visitor.context.close()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_sound_for_everybody(reader: tuple[Visitor, Page], path: str) -> None:
    visitor, page = reader
    visitor.faults, visitor.auditing = [], False
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    page.goto(visitor.house + path)
    settled(page)
    visitor.auditing = True
    assert page.title().endswith("· OMNI")
    page.evaluate(AXE_SCRIPT)
    assert _faults(page) == []
    assert _overflow(page) == 0
    page.set_viewport_size(NARROW)
    page.emulate_media(color_scheme="dark")
    assert _faults(page, *OF_LOOKS) == []
    assert _overflow(page) == 0
    assert visitor.faults == []


def test_the_sign_in_page_is_sound(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/console/sign-in/", width=360, scheme="dark")
    visitor.auditing = True
    page.evaluate(AXE_SCRIPT)
    assert _faults(page) == []
    assert _overflow(page) == 0


def test_what_is_missing_or_forbidden_says_so_and_offers_a_way(visit: Visit) -> None:
    visitor = visit("viewer")
    page = visitor.open("/console/campaigns/there-is-none/")
    assert page.get_by_role("heading", name="There is nothing here").is_visible()
    page = visitor.open("/console/api-keys/")
    assert "needs the role admin" in page.inner_text("main")
    page = visitor.open("/console/nothing/of/the/sort/")
    assert page.get_by_role("link", name="To the console").is_visible()


def _faults(page: Page, *rules: str) -> list[str]:
    """What axe, which the page must hold, finds serious or critical (by these rules, or all), with the first element of each."""
    rows = {"exclude": [["tbody tr:nth-child(n + 16)"]]}  # a long table's rows are alike, and each costs as much as the first
    options = {"resultTypes": ["violations"], "iframes": False, "preload": False} | ({"runOnly": rules} if rules else {})
    found = page.evaluate("([rows, options]) => axe.run(rows, options).then(({violations}) => violations)", [rows, options])
    return [f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in found if each["impact"] in {"serious", "critical"}]


def _overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return max(0, page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
