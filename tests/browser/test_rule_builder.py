"""The rule builder: nested groups by keyboard, with a live count; and without any script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.conftest import Visit, until

if TYPE_CHECKING:
    from playwright.sync_api import Page


def from_menu(page: Page, name: str, item: str) -> None:
    """Press an item of the menu that the handle of a condition or a group opens."""
    page.get_by_role("button", name=f"{name}: move, copy or wrap").click()
    page.locator(".rule-menu:popover-open").get_by_role("button", name=item).click()


def test_a_rule_is_built_by_keyboard_and_counted_while_it_grows(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    page.get_by_label("Title").fill("Germans with the app")
    page.get_by_label("Condition 1: value").fill("DE")
    page.locator("#look", has_text="whose country is “DE”").wait_for()
    page.get_by_role("button", name="Condition in the whole rule").focus()
    page.keyboard.press("Enter")
    page.get_by_role("group", name="Condition 2").wait_for()
    until(page, "document.activeElement.name === '/rule/of/1/subject'")
    page.get_by_label("Condition 2: about what").select_option("attribute:has_app")
    page.get_by_label("Condition 2: yes or no").wait_for()
    page.get_by_label("Condition 2: yes or no").select_option("true")
    page.locator("#look", has_text="whose Has the app is yes").wait_for()
    page.keyboard.press("Control+s")
    page.wait_for_url("**/console/segments/germans-with-the-app/")
    assert page.get_by_text("Saved as revision 1.").is_visible()


def test_conditions_move_nest_and_go_with_the_focus_following(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    page.get_by_label("Condition 1: value").fill("FR")
    page.get_by_role("button", name="Condition in the whole rule").click()
    page.get_by_label("Condition 2: about what").select_option("reachable")
    page.get_by_label("Condition 2: channel").wait_for()
    from_menu(page, "Condition 2", "Move up")
    until(page, "document.activeElement.id === 'f-rule-of-0-grip'")
    assert page.get_by_label("Condition 2: value").input_value() == "FR"
    from_menu(page, "Condition 2", "Into a group of its own")
    page.get_by_label("Group 2: how its conditions go together").select_option("none")
    page.locator("#look", has_text="except those").wait_for()
    page.get_by_role("button", name="Remove condition 1").click()
    page.get_by_label("Group 1: how its conditions go together").wait_for()
    assert page.get_by_role("group", name="Condition 2").count() == 0


def test_a_value_that_does_not_fit_is_named_on_top_and_at_its_field(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    page.get_by_label("Title").fill("Broken")
    page.get_by_role("button", name="Create segment").click()
    summary = page.get_by_role("alert")
    summary.wait_for()
    assert "Condition 1 (Country): choose a value" in summary.inner_text()
    assert page.get_by_label("Title").input_value() == "Broken"
    assert page.locator("[aria-invalid=true]").count() == 1
    summary.get_by_role("link").first.click()
    assert page.evaluate("document.activeElement.name").startswith("/rule/of/0/")


def test_the_builder_works_as_a_plain_form_without_scripts(visit: Visit) -> None:
    page = visit("author", java_script_enabled=False).open("/console/new/segments/")
    page.get_by_label("Title").fill("Plain Spaniards")
    page.get_by_label("Condition 1: value").fill("ES")
    page.get_by_role("button", name="Condition in the whole rule").click()
    assert page.get_by_label("Condition 1: value").input_value() == "ES"
    page.get_by_label("Condition 2: value").fill("IT")
    page.get_by_label("How the conditions go together").select_option("any")
    page.get_by_role("button", name="Create segment").click()
    assert page.url.endswith("/console/segments/plain-spaniards/")
    page.get_by_role("link", name="Preview").click()
    assert "whose country is “ES” or whose country is “IT”" in page.inner_text("main")


def test_what_is_typed_before_the_server_answers_stays(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    with page.expect_response("**/console/new/segments/"):
        page.evaluate(
            """() => {
                const field = (name) => document.querySelector(`[name="${name}"]`)
                const tell = (at, what) => at.dispatchEvent(new Event(what, {bubbles: true}))
                const say = (name, value, what) => { field(name).value = value; tell(field(name), what) }
                say("/rule/of/0/op", "is_not", "change")
                say("/rule/of/0/value", "DE", "input")
                say("/title", "Typed meanwhile", "input")
            }"""
        )
    until(page, "document.querySelector('[name=\"/rule/of/0/op\"]').value === 'is_not'")
    page.locator("#look", has_text="“DE”").wait_for()
    assert page.get_by_label("Title").input_value() == "Typed meanwhile"
    assert page.get_by_label("Condition 1: value").input_value() == "DE"


def test_two_quick_steps_are_both_taken_unless_the_first_renames_what_the_second_is_about(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    page.get_by_label("Condition 1: value").fill("DE")
    quickly = "(steps) => steps.forEach((step) => document.querySelector(`[name=do][value='${step}']`).click())"
    page.evaluate(quickly, ["add:/rule/of:condition", "add:/rule/of:group"])
    page.get_by_role("group", name="Group 3").wait_for()
    assert page.get_by_role("group", name="Condition 2").is_visible()
    page.evaluate(quickly, ["remove:/rule/of/2", "remove:/rule/of/1"])
    page.get_by_role("group", name="Group 3").wait_for(state="detached")
    page.wait_for_timeout(300)
    assert page.get_by_role("group", name="Condition 2").is_visible()
    assert page.get_by_label("Condition 1: value").input_value() == "DE"
