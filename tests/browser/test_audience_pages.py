"""The audience's pages in a hand and on a desk: what a finger must hit, what stays where it was, and what stands on one line."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Visit, settled

FINGER = 44  # pixels
HIT = "button, select, textarea, summary, .button, .chip, .tab, .breadcrumb a, input:not([type=hidden])"
TOO_SMALL = """([hit, least]) => [...document.querySelectorAll(`main :is(${hit})`)]
  .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.closest(".unread, p"))
  .filter((each) => !each.matches("li, [type=checkbox]"))
  .map((each) => [each.outerHTML.slice(0, 120), each.getBoundingClientRect()])
  .filter(([, { height, width }]) => width && height && height < least - 0.5)
  .map(([words, { height }]) => `${height}: ${words}`)"""


@pytest.mark.parametrize(
    "address",
    [
        "/console/segments/",
        "/console/segments/vip-guests/",
        "/console/segments/vip-guests/preview/",
        "/console/segments/vip-guests/explore/",
        "/console/lists/",
        "/console/profiles/",
        "/console/attributes/",
        "/console/new/import-mappings/",
        "/console/new/opt-ins/",
    ],
)
def test_a_finger_hits_what_it_aims_at(visit: Visit, address: str) -> None:
    page = visit("author", has_touch=True, is_mobile=True).open(address, width=390)
    settled(page)
    assert page.evaluate(TOO_SMALL, [HIT, FINGER]) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("field", "value", "press"), [("#with", "digest-readers", "Compare"), ("#person-q", "wf-000003", "Look")])
def test_the_page_stays_where_it_is_when_something_is_looked_up(visit: Visit, field: str, value: str, press: str) -> None:
    page = visit("author", has_touch=True).open("/console/segments/vip-guests/preview/", width=390)
    settled(page)
    asked = page.locator(field)
    asked.select_option(value) if field == "#with" else asked.fill(value)
    button = page.get_by_role("button", name=press, exact=True)
    button.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    button.click()
    page.locator("#shared dl, #person .why").first.wait_for()
    settled(page)
    assert abs(page.evaluate("scrollY") - before) < 5
    assert value in page.url and page.evaluate("document.activeElement.textContent").strip() == press


def test_what_a_date_is_compared_with_stands_on_the_line_of_its_operator(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    page.get_by_label("Condition 1: about what").select_option("attribute:last_stay_date")
    settled(page)
    operator = page.get_by_label("Condition 1: how it compares")
    for each in operator.locator("option").evaluate_all("(options) => options.map((option) => option.value)"):
        operator.select_option(each)
        settled(page)
        tops = page.locator(".rule-fields > :not(label)").evaluate_all(
            "(all) => all.map((one) => Math.round(one.getBoundingClientRect().top))"
        )
        assert len(set(tops)) == 1, each
