"""Everything by keyboard: the palette, the list of keys, lists, places, the way past the navigation."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Visit


def test_the_palette_finds_a_document_and_enter_opens_it(visit: Visit) -> None:
    page = visit("viewer").open("/console/")
    page.keyboard.press("/")
    page.keyboard.type("spring trav")
    page.get_by_role("option", name="Spring travellers").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/segments/spring-travellers/")


def test_the_palette_finds_a_person_by_address_and_goes_with_arrows(visit: Visit) -> None:
    page = visit("viewer").open("/console/settings/")
    page.keyboard.press("Control+k")
    page.keyboard.type("wf-000017")
    page.locator("#palette-results [role=option]").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/profiles/*/")
    assert "wf-000017" in page.inner_text("main")


def test_a_question_mark_lists_the_keys_and_escape_closes_them(visit: Visit) -> None:
    page = visit("viewer").open("/console/")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    assert dialog.is_visible()
    page.keyboard.press("Escape")
    assert dialog.is_hidden()


def test_j_and_k_walk_a_list_and_enter_opens_the_row(visit: Visit) -> None:
    page = visit("viewer").open("/console/segments/")
    page.keyboard.press("j")
    first = page.evaluate("document.activeElement.href")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.href") != first
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.href") == first
    page.keyboard.press("Enter")
    page.wait_for_url(first)


def test_g_and_a_letter_go_somewhere_and_numbers_are_tabs(visit: Visit) -> None:
    page = visit("viewer").open("/console/")
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.wait_for_url("**/console/templates/")
    page.goto(page.url + "spring-sale/")
    page.keyboard.press("4")
    page.wait_for_url("**/console/templates/spring-sale/history/")


def test_letters_typed_into_a_field_are_text_and_nothing_else(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    page.get_by_label("Title").fill("")
    page.get_by_label("Title").type("jk? g/")
    assert page.get_by_label("Title").input_value() == "jk? g/"
    assert page.get_by_role("dialog").count() == 0


def test_the_first_tab_stop_leads_past_the_navigation(visit: Visit) -> None:
    page = visit("viewer").open("/console/profiles/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_theme_stays_as_chosen(visit: Visit) -> None:
    visitor = visit("viewer")
    page = visitor.open("/console/settings/")
    page.get_by_role("main").get_by_role("button", name="Dark").click()
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


COVERED = """() => {
  const focused = document.activeElement;
  if (focused === document.body || focused.closest(".bar, .form-foot")) return "";
  const { left, top, width, height } = focused.getBoundingClientRect();
  const over = document.elementFromPoint(left + width / 2, top + Math.min(height, 40) - 2)?.closest(".bar, .form-foot");
  return over ? `${focused.name || focused.id || focused.textContent} lies under ${over.className}` : "";
}"""


@pytest.mark.parametrize("address", ["/console/segments/spring-travellers/", "/console/new/import-mappings/"])
def test_no_bar_of_a_phone_lies_over_what_has_the_focus(visit: Visit, address: str) -> None:
    page = visit("author").open(address, width=390)
    page.set_viewport_size({"width": 390, "height": 700})
    for _ in range(60):
        page.keyboard.press("Tab")
        assert not page.evaluate(COVERED)
