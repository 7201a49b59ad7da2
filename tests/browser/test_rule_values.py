"""The rule builder's fields and what stands beside it: values are picked, counts follow, and an answer that comes late is dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.browser.conftest import Visit, settled, until
from tests.browser.test_every_page import _faults, _overflow
from tests.browser.test_rule_moves import said

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

SUGGESTIONS = "#value-list [role=option]"


def about(page: Page, subject: str, number: int = 1) -> None:
    """Let a condition be about something else."""
    page.get_by_label(f"Condition {number}: about what").select_option(subject)
    settled(page)


def test_a_value_is_picked_by_autocomplete_with_the_keyboard(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    field = page.get_by_role("combobox", name="Condition 1: value")
    field.focus()
    page.keyboard.type("portu")
    page.locator(SUGGESTIONS, has_text="Portugal (PT)").wait_for()
    assert field.get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowDown")
    chosen = page.locator(f"#{field.get_attribute('aria-activedescendant')}")
    assert (chosen.inner_text(), chosen.get_attribute("aria-selected")) == ("Portugal (PT)", "true")
    page.keyboard.press("Enter")
    assert (field.input_value(), field.get_attribute("aria-expanded")) == ("PT", "false")
    page.locator("#look", has_text="whose country is “PT”").wait_for()
    page.keyboard.press("Control+z")
    said(page, "Undone: Condition 1: value.")
    assert field.input_value() != "PT"


def test_escape_closes_the_suggestions_and_keeps_what_was_typed(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    field = page.get_by_label("Condition 1: value")
    field.press_sequentially("fra")
    page.locator(SUGGESTIONS).first.wait_for()
    page.keyboard.press("Escape")
    assert (page.locator(".value-box").is_visible(), field.input_value()) == (False, "fra")


def test_several_values_are_chips_that_come_and_go(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    about(page, "attribute:interests")
    page.get_by_label("Condition 1: how it compares").select_option("in")
    add = page.get_by_label("Condition 1: values: add one")
    add.press_sequentially("ski")
    page.locator(SUGGESTIONS, has_text="skiing").click()
    add.press_sequentially("beach")
    page.keyboard.press("Enter")
    page.locator("#look", has_text="one of “skiing” or “beach”").wait_for()
    page.get_by_role("button", name="Take out skiing").click()
    said(page, "skiing is taken out.")
    page.locator("#look", has_text="“beach”").wait_for()
    page.get_by_role("button", name="Undo", exact=True).click()
    page.get_by_role("button", name="Take out skiing").wait_for()
    page.get_by_label("Title").fill("Skiers")
    add.press_sequentially("hiking")
    page.keyboard.press("Control+s")
    page.wait_for_url("**/console/segments/skiers/")
    assert page.locator("textarea[name='/rule/of/0/values']").input_value().split() == ["skiing", "beach", "hiking"]


def test_events_and_what_is_in_them_are_suggested(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    about(page, "event")
    page.get_by_label("Condition 1: which event").press_sequentially("book")
    page.locator(SUGGESTIONS, has_text="booked").first.click()
    page.get_by_role("button", name="Add a condition on what is in the event").click()
    page.get_by_label("Condition 1, part 1: property").click()
    page.locator(SUGGESTIONS).first.wait_for()
    name = page.locator(SUGGESTIONS).first.inner_text()
    page.locator(SUGGESTIONS).first.click()
    assert page.get_by_label("Condition 1, part 1: property").input_value() == name


def test_a_number_says_its_unit_and_from_where_to_where_it_goes(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    about(page, "attribute:stays")
    page.get_by_label("Condition 1: number").click()
    page.locator(".value-box", has_text="From 0 to").wait_for()


def test_an_answer_that_comes_after_a_later_one_is_dropped(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    held: list[Route] = []

    def slow_first(route: Route) -> None:
        if "value=DE" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route("**/console/look/segments/", slow_first)
    page.get_by_label("Condition 1: value").fill("DE")
    for _ in range(100):
        if held:
            break
        page.wait_for_timeout(50)
    until(page, "getComputedStyle(document.querySelector('#look-waiting')).opacity === '1'")
    page.get_by_label("Condition 1: value").fill("FR")
    page.locator("#look", has_text="whose country is “FR”").wait_for()
    for route in held:
        route.continue_()
    page.wait_for_timeout(500)
    assert "“FR”" in page.locator("#look").inner_text()


def test_suggestions_for_what_was_typed_before_are_dropped(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    held: list[Route] = []
    page.route("**/console/look/values/*q=g", lambda route: held.append(route))
    field = page.get_by_label("Condition 1: value")
    field.press_sequentially("g")
    for _ in range(100):
        if held:
            break
        page.wait_for_timeout(50)
    field.press_sequentially("ree")
    page.locator(SUGGESTIONS, has_text="Greece").wait_for()
    for route in held:
        route.fulfill(json={"items": [{"value": "XX", "label": "Late", "people": None}], "told": ""})
    page.wait_for_timeout(300)
    assert page.locator(SUGGESTIONS, has_text="Late").count() == 0


def test_what_the_rule_shares_and_whom_it_moves_is_counted_on_demand(visit: Visit) -> None:
    page = visit("author").open("/console/segments/spring-travellers/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_text("Who would enter or leave if released").click()
    aside = page.get_by_role("complementary", name="Who it finds")
    aside.get_by_text("After release").wait_for()
    assert not any("overlap" in url for url in asked)
    page.get_by_text("What it shares with other segments").click()
    aside.get_by_role("link", name="Digest readers").wait_for()
    page.get_by_role("button", name="Remove group 3").click()
    aside.get_by_role("button", name="Count again").first.wait_for()
    before = len([url for url in asked if "/look/segments/change/" in url])
    aside.get_by_role("button", name="Count again").last.click()
    aside.get_by_text("Some who would enter").wait_for()
    assert len([url for url in asked if "/look/segments/change/" in url]) == before + 1


def test_what_is_counted_for_a_rule_of_before_is_told_to_be_so(visit: Visit) -> None:
    page = visit("author").open("/console/segments/spring-travellers/")
    held: list[Route] = []
    page.route("**/console/look/segments/overlap/**", lambda route: held.append(route))
    page.get_by_text("What it shares with other segments").click()
    until(page, "document.querySelector('[data-beside]').dataset.asked === '1'")
    page.get_by_role("button", name="Remove group 3").click()
    page.get_by_role("group", name="Group 3").wait_for(state="detached")
    for route in held:
        route.continue_()
    page.get_by_role("link", name="Digest readers").wait_for()
    assert page.get_by_role("button", name="Count again").is_visible()
    page.get_by_role("button", name="Undo", exact=True).click()
    page.get_by_role("button", name="Count again").wait_for(state="hidden")


def test_what_is_unfinished_is_led_to_and_the_last_count_stays(visit: Visit) -> None:
    page = visit("author").open("/console/segments/spring-travellers/", width=390)
    page.locator("[data-count-of]").wait_for()
    counted = page.locator("#look .figure").inner_text()
    bar = page.locator("[data-count-of]")
    assert (bar.inner_text(), bar.is_visible()) == (f"{counted} people", True)
    panel = page.locator("[data-beside]", has_text="Who would enter or leave")
    panel.locator("summary").click()
    panel.get_by_text("After release").wait_for()
    field = page.get_by_label("Condition 2.1: number")
    before = field.input_value()
    field.fill("")
    page.locator("#look", has_text=f"{counted} before").wait_for()
    page.locator("[data-count-of]", has_text=f"{counted} before").wait_for()
    panel.get_by_role("button", name="Count again").click()
    panel.get_by_text("first.").wait_for()
    assert not panel.get_by_role("button", name="Count again").is_visible()
    panel.locator("[data-finish]").click()
    until(page, f"document.activeElement.id === '{field.get_attribute('id')}'")
    page.keyboard.type(before)
    page.locator("#look", has_text="Some of them").wait_for()
    page.locator("[data-count-of]", has_text=f"{counted} people").wait_for()
    assert panel.get_by_role("button", name="Count again").is_visible() and not panel.get_by_text("first.").is_visible()
    assert _overflow(page) == 0


def test_the_panel_beside_the_builder_scrolls_with_the_page(visit: Visit) -> None:
    page = visit("author").open("/console/segments/spring-travellers/")
    page.set_viewport_size({"width": 1440, "height": 600})
    for panel in page.locator("[data-beside] > summary").all():
        panel.click()
    page.get_by_text("After release").wait_for()
    aside = page.locator("aside.sticky")
    assert aside.evaluate("each => each.scrollHeight <= each.clientHeight && each.offsetHeight > innerHeight"), "nothing in it is cut off"
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert aside.evaluate("each => each.getBoundingClientRect().bottom <= innerHeight")


def test_a_reader_sees_whom_the_saved_rule_finds(visit: Visit) -> None:
    page = visit("viewer").open("/console/segments/spring-travellers/")
    page.locator("#look", has_text="Some of them").wait_for()
    page.get_by_text("What it shares with other segments").click()
    page.get_by_role("link", name="Digest readers").wait_for()


def test_the_same_document_is_edited_as_json_and_comes_back_to_the_builder(visit: Visit) -> None:
    page = visit("author").open("/console/segments/spring-travellers/")
    page.get_by_role("button", name="JSON").click()
    source = page.get_by_label("Source (JSON)")
    source.wait_for()
    text = source.input_value()
    source.fill(text.replace('"days"', '"day"', 1))
    page.get_by_role("button", name="Save draft").click()
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "/rule/" in alert.inner_text()
    assert '"day"' in page.get_by_label("Source (JSON)").input_value()
    page.get_by_label("Source (JSON)").fill(text.replace("beach", "sailing"))
    page.locator("#look", has_text="“sailing”").wait_for()
    page.get_by_role("button", name="Form").click()
    page.get_by_role("button", name="Take out sailing").wait_for()
    page.get_by_role("button", name="Undo", exact=True).click()
    said(page, "Undone: Form.")
    assert "sailing" in page.get_by_label("Source (JSON)").input_value()


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_menu_suggestions_and_chips_are_sound_for_everybody(visit: Visit, width: int, scheme: str) -> None:
    visitor = visit("author")
    page = visitor.open("/console/segments/spring-travellers/", width=width, scheme=scheme)
    page.get_by_text("What it shares with other segments").click()
    page.get_by_role("link", name="Digest readers").wait_for()
    settled(page)
    visitor.auditing = True
    page.evaluate(AXE_SCRIPT)
    page.get_by_role("button", name="Group 2: move").click()
    until(page, "document.activeElement.closest('.rule-menu') !== null")
    assert _faults(page) == []
    page.keyboard.press("Escape")
    page.get_by_label("Condition 2.1: number").fill("")
    page.locator("#look", has_text="before").wait_for()
    page.keyboard.press("Escape")
    settled(page)
    assert _faults(page) == []
    page.get_by_label("Condition 2.3: values: add one").click()
    page.locator(SUGGESTIONS).first.wait_for()
    page.keyboard.press("ArrowDown")
    assert _faults(page) == []
    assert _overflow(page) == 0
