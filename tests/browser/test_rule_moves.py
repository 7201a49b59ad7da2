"""The rule builder's tree by keyboard and by hand: what moves keeps its fields, and everything can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.conftest import Visit, until
from tests.browser.test_rule_builder import from_menu

if TYPE_CHECKING:
    from playwright.sync_api import Page


def countries(page: Page, *codes: str) -> None:
    """Conditions on countries, one after another."""
    for place, code in enumerate(codes):
        if place:
            page.get_by_role("button", name="Condition in the whole rule").click()
        page.get_by_label(f"Condition {place + 1}: value").fill(code)


def value(page: Page, number: str) -> str:
    return page.get_by_label(f"Condition {number}: value", exact=True).input_value()


def said(page: Page, words: str) -> None:
    """Wait until a screen reader is told this."""
    page.locator("#builder-said", has_text=words).wait_for(state="attached")


def drag(page: Page, handle: str, onto: str, *, at: float = 0.9, let_go: bool = True) -> None:
    """Drag by a handle to a height (0 to 1) of another condition or group."""
    page.set_viewport_size({"width": 1440, "height": 1400})  # all of it in sight: near the window's edge a drag scrolls
    start = page.get_by_role("button", name=f"{handle}: move, copy or wrap").bounding_box()
    end = page.get_by_role("group", name=onto, exact=True).bounding_box()
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(start["x"] + 20, start["y"] + 40, steps=3)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] * at, steps=5)
    if let_go:
        page.mouse.up()


def test_a_nested_rule_is_built_with_the_keyboard_alone(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    page.get_by_label("Title").fill("Iberians with the app")
    page.get_by_label("Condition 1: value").focus()
    page.keyboard.type("ES")
    page.get_by_role("button", name="Group in the whole rule").press("Enter")
    page.get_by_label("Condition 2.1: value").wait_for()
    page.get_by_label("Condition 2.1: value").focus()
    page.keyboard.type("PT")
    page.get_by_role("button", name="Condition 1: move").press("Alt+ArrowDown")
    said(page, "Condition 1 is moved down. It is condition 2 now.")
    until(page, "document.activeElement.id === 'f-rule-of-1-grip'")
    page.keyboard.press("Alt+ArrowRight")
    said(page, "Condition 2 is moved into the group above. It is condition 1.2 now.")
    until(page, "document.activeElement.id === 'f-rule-of-0-of-1-grip'")
    assert [value(page, "1.1"), value(page, "1.2")] == ["PT", "ES"]
    page.keyboard.press("Enter")
    until(page, "document.activeElement.closest('.rule-menu') !== null")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    said(page, "Condition 1.2 is copied. It is condition 1.3 now.")
    page.keyboard.press("Alt+ArrowLeft")
    said(page, "Condition 1.3 is moved out of its group. It is condition 2 now.")
    until(page, "document.activeElement.id === 'f-rule-of-1-grip'")
    assert value(page, "2") == "ES"
    page.keyboard.press("Control+s")
    page.wait_for_url("**/console/segments/iberians-with-the-app/")
    assert page.get_by_label("Group 1: how its conditions go together").input_value() == "any"


def test_what_can_not_be_moved_is_told_and_stays(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    countries(page, "FR", "DE")
    page.get_by_role("button", name="Condition 1: move").focus()
    for key, words in (("ArrowUp", "is the first"), ("ArrowLeft", "stands in no group"), ("ArrowRight", "There is no group above")):
        page.keyboard.press(f"Alt+{key}")
        page.get_by_text(words).last.wait_for()
    assert page.url.endswith("/console/new/segments/")
    assert [value(page, "1"), value(page, "2")] == ["FR", "DE"]


def test_groups_are_not_nested_deeper_than_a_rule_may(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    number = "1"
    for _ in range(9):
        from_menu(page, f"Condition {number}", "Into a group of its own")
        number += ".1"
        page.get_by_role("group", name=f"Condition {number}", exact=True).wait_for()
    from_menu(page, f"Condition {number}", "Into a group of its own")
    page.get_by_text("A rule has at most 10 groups inside each other").wait_for()
    assert page.get_by_role("group", name=f"Condition {number}", exact=True).is_visible()


def test_a_condition_is_dragged_into_a_group_and_that_is_undone_and_done_again(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    countries(page, "FR", "DE")
    from_menu(page, "Condition 2", "Into a group of its own")
    page.get_by_role("group", name="Group 2").wait_for()
    drag(page, "Condition 1", "Condition 2.1")
    said(page, "Condition 1 is moved. It is condition 1.2 now.")
    assert [value(page, "1.1"), value(page, "1.2")] == ["DE", "FR"]
    assert page.locator(":popover-open").count() == 0
    page.keyboard.press("Control+z")
    said(page, "Undone: a move.")
    assert [value(page, "1"), value(page, "2.1")] == ["FR", "DE"]
    page.keyboard.press("Control+Shift+z")
    said(page, "Done again: a move.")
    assert [value(page, "1.1"), value(page, "1.2")] == ["DE", "FR"]


def test_a_group_is_dragged_before_a_condition_but_never_into_itself(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    countries(page, "FR", "DE")
    from_menu(page, "Condition 2", "Into a group of its own")
    page.get_by_role("group", name="Group 2").wait_for()
    drag(page, "Group 2", "Condition 2.1", let_go=False)
    assert page.locator(".rule-drop").count() == 0
    page.keyboard.press("Escape")
    page.mouse.up()
    assert [value(page, "1"), value(page, "2.1")] == ["FR", "DE"]
    drag(page, "Group 2", "Condition 1", at=0.1)
    said(page, "Group 2 is moved. It is group 1 now.")
    assert [value(page, "1.1"), value(page, "2")] == ["DE", "FR"]


def test_a_finger_drags_as_a_mouse_does(visit: Visit) -> None:
    page = visit("author", has_touch=True).open("/console/new/segments/", width=390)
    countries(page, "FR", "DE")
    page.set_viewport_size({"width": 390, "height": 1400})  # nothing lies under the bar at the bottom
    grip = page.get_by_role("button", name="Condition 2: move").bounding_box()
    goal = page.get_by_role("group", name="Condition 1", exact=True).bounding_box()
    assert grip is not None
    assert goal is not None
    touch = page.context.new_cdp_session(page)
    x, y, up = grip["x"] + 12, grip["y"] + 12, goal["y"] + 8
    for kind, height in (("touchStart", y), ("touchMove", y - 10), ("touchMove", up + 4), ("touchMove", up)):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": height}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    said(page, "Condition 2 is moved. It is condition 1 now.")
    assert [value(page, "1"), value(page, "2")] == ["DE", "FR"]


def test_every_step_is_undone_one_by_one_and_nothing_typed_is_lost(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    page.get_by_label("Title").fill("Kept")
    countries(page, "FR", "DE")
    page.get_by_label("Condition 2: how it compares").select_option("is_not")
    page.locator("#look", has_text="not “DE”").wait_for()
    page.get_by_role("button", name="Remove condition 1").click()
    page.get_by_role("group", name="Condition 2").wait_for(state="detached")
    undo = page.get_by_role("button", name="Undo", exact=True)
    for words in (
        "Remove condition 1",
        "Condition 2: how it compares",
        "Condition 2: value",
        "new condition in the whole rule",
        "Condition 1: value",
        "Title",
    ):
        undo.click()
        said(page, f"Undone: {words}")
    assert page.get_by_label("Title").input_value() == ""
    assert undo.get_attribute("aria-disabled") == "true"
    for _ in range(6):
        page.get_by_role("button", name="Redo", exact=True).click()
        page.wait_for_timeout(250)
    page.get_by_role("group", name="Condition 2").wait_for(state="detached")
    assert (page.get_by_label("Title").input_value(), value(page, "1")) == ("Kept", "DE")


def test_undo_goes_on_after_a_save_whether_it_succeeds_or_not(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    page.get_by_label("Title").fill("Saved and undone")
    countries(page, "NL")
    page.get_by_role("button", name="Create segment").click()
    page.wait_for_url("**/console/segments/saved-and-undone/")
    page.get_by_role("button", name="Condition in the whole rule").click()
    page.get_by_role("group", name="Condition 2").wait_for()
    page.get_by_role("button", name="Save draft").click()
    page.get_by_role("alert").wait_for()
    page.get_by_role("button", name="Undo", exact=True).click()
    said(page, "Undone: new condition in the whole rule.")
    page.get_by_label("What it is for").fill("Who reads the digest")
    page.get_by_role("button", name="Save draft").click()
    page.get_by_text("Saved as revision 2").wait_for()
    page.get_by_role("button", name="Undo", exact=True).click()
    said(page, "Undone: What it is for.")
    assert page.get_by_label("What it is for").input_value() != "Who reads the digest"


def test_a_field_that_is_typed_in_keeps_its_own_undo(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    countries(page, "FR")
    page.get_by_label("Title").focus()
    page.keyboard.type("Mine")
    page.keyboard.press("Control+z")
    assert page.get_by_label("Title").input_value() != "Mine"
    assert value(page, "1") == "FR"
