"""The campaign editor: a schedule is said in fields, weights are read as shares, tabs fit a phone."""

from __future__ import annotations

from tests.browser.conftest import Visit, until


def test_a_schedule_is_said_in_fields_and_read_back_in_words_and_dates(visit: Visit) -> None:
    page = visit("author").open("/console/new/campaigns/")
    page.get_by_label("On a schedule").check()
    zone = page.get_by_label("In the time zone")
    zone.wait_for()
    assert zone.input_value() == "Europe/Berlin"
    assert not page.get_by_label("Own cron line").is_visible()
    page.get_by_label("Every", exact=True).select_option(label="month")
    page.get_by_label("On day").select_option("15")
    page.get_by_label("At", exact=True).fill("18:30")
    page.locator("#schedule-look", has_text="At 18:30 on the 15th day of every month, Europe/Berlin").wait_for()
    assert page.inner_text("#schedule-look").count(", 18:30 CE") == 3
    page.get_by_label("Every", exact=True).select_option(label="Own cron line")
    until(page, "document.getElementById('f-trigger-cron').value === '30 18 15 * *'")
    assert not page.get_by_label("On day").is_visible()
    page.get_by_label("Own cron line").fill("0 */6 * * *")
    page.locator("#schedule-look", has_text="past every sixth hour").wait_for()


def test_a_schedule_is_saved_as_a_plain_form_without_scripts(visit: Visit) -> None:
    page = visit("author", java_script_enabled=False).open("/console/campaigns/weekly-digest/")
    assert page.get_by_label("On", exact=True).input_value() == "MON"
    page.get_by_label("On", exact=True).select_option(label="Thursday")
    page.get_by_role("button", name="Save draft").last.click()
    page.get_by_text("Saved as revision").wait_for()
    assert "At 09:00 on Thursday, Europe/Paris" in page.inner_text("#schedule-look")


def test_a_schedule_that_nobody_touched_is_nothing_to_save(visit: Visit) -> None:
    page = visit("author").open("/console/campaigns/weekly-digest/")
    page.get_by_role("button", name="Save draft").last.click()
    page.get_by_text("Nothing to save").wait_for()


def test_weights_are_read_as_shares_while_they_change(visit: Visit) -> None:
    page = visit("author").open("/console/new/campaigns/")
    page.get_by_role("button", name="Compare two").click()
    page.get_by_text("50 %").first.wait_for()
    page.get_by_label("Weight").first.fill("3")
    page.get_by_label("Weight").first.press("Tab")
    page.get_by_text("75 %").wait_for()
    until(page, "document.activeElement.id === 'f-variants-0-remove'")


def test_the_current_tab_is_in_view_on_a_phone_and_the_line_below_is_as_wide_everywhere(visit: Visit) -> None:
    visitor = visit("author")
    for width in (340, 375):
        page = visitor.open("/console/segments/vip-guests/approvals/", width=width)
        until(page, "document.querySelector('.tabs [aria-current]').getBoundingClientRect().right <= innerWidth")
        page.close()
    widths = set()
    for tab in ("", "preview/", "checks/", "history/", "approvals/"):
        page = visitor.open(f"/console/campaigns/weekly-digest/{tab}")
        widths.add(page.evaluate("document.querySelector('.tabs').clientWidth"))
        page.close()
    assert len(widths) == 1
