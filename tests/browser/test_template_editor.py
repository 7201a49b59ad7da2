"""The template editor: blocks, languages, the live preview, a test to oneself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.conftest import Visit

if TYPE_CHECKING:
    from playwright.sync_api import Page


def _shows(page: Page, words: str) -> None:
    """Wait until the live preview, whichever of its two frames is in front, shows these words."""
    for _ in range(60):
        front = page.locator(".frame-stage iframe:not([data-behind])").element_handle()
        frame = front.content_frame() if front else None
        if frame is not None and words in (frame.text_content("body") or ""):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"the preview never showed {words!r}")


def test_what_is_typed_appears_in_the_preview(visit: Visit) -> None:
    page = visit("author").open("/console/templates/weekly-digest/")
    page.get_by_label("Text", exact=True).first.fill("Seven days of trains")
    _shows(page, "Seven days of trains")
    page.get_by_role("button", name="Phone").click()
    assert page.locator(".frame-stage iframe:not([data-behind])").bounding_box()["width"] <= 375  # type: ignore[index]


def test_blocks_are_added_moved_and_kept_with_every_language(visit: Visit) -> None:
    page = visit("author").open("/console/templates/welcome/")
    page.get_by_role("group", name="Add a block at the end").get_by_role("button", name="Heading").click()
    page.locator(".block", has_text="heading-").or_(page.locator(".block h3", has_text="Heading").last).last.wait_for()
    page.locator(".block").last.get_by_label("Text", exact=True).fill("The last word")
    page.get_by_role("button", name="de", exact=True).click()
    page.get_by_label("Subject in de").wait_for()
    page.get_by_role("group", name="Language to edit").get_by_role("button", name="en").click()
    page.get_by_label("Subject in en").wait_for()
    assert page.locator(".block").last.get_by_label("Text", exact=True).input_value() == "The last word"
    page.get_by_role("button", name="Save draft").click()
    page.get_by_text("Saved as revision").wait_for()
    assert page.get_by_text("differs from released").is_visible()


def test_an_untouched_form_saves_nothing(visit: Visit) -> None:
    page = visit("author").open("/console/templates/booking-confirmation/")
    page.get_by_role("button", name="Save draft").click()
    page.get_by_text("Nothing to save: the draft is the same.").wait_for()


def test_a_test_to_oneself_lands_in_the_outbox_marked(visit: Visit) -> None:
    visitor = visit("author")
    page = visitor.open("/console/templates/spring-sale/")
    page.get_by_label("Subject in en").fill("Only for my eyes")
    page.get_by_role("button", name="Send a test to me").click()
    page.get_by_text("Sent to author@wayfare.example").wait_for()
    page = visitor.open("/console/outbox/?q=author@wayfare.example")
    assert page.get_by_role("link", name="[Test] Only for my eyes").is_visible()


def test_a_text_to_oneself_goes_to_the_number_that_was_typed(visit: Visit) -> None:
    page = visit("author").open("/console/templates/stay-reminder/")
    page.get_by_label("Phone number for a test").fill("+15005550006")
    page.get_by_role("button", name="Send a test to me").click()
    page.get_by_text("Sent to +15005550006").wait_for()


def test_a_viewer_may_look_and_change_nothing(visit: Visit) -> None:
    page = visit("viewer").open("/console/templates/spring-sale/")
    assert page.get_by_label("Title").is_disabled()
    assert page.get_by_role("button", name="Save draft").count() == 0
    assert page.get_by_role("button", name="Send a test to me").count() == 0
