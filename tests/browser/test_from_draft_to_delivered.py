"""One campaign through the console: an author submits, another person vouches, releases and launches; the run is watched."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from tests.browser.conftest import Visit, until


def test_a_campaign_goes_from_a_draft_to_delivered_messages(visit: Visit) -> None:
    author = visit("author").open("/console/campaigns/weekly-digest/")
    author.get_by_label("What it is for").fill("Mondays at nine, Paris time; the short list.")
    author.get_by_text("Limits").click()
    author.get_by_label("Waves, in per cent of the audience").fill("")
    author.get_by_role("button", name="Save draft").click()
    author.get_by_text("Saved as revision").wait_for()
    author.get_by_role("button", name="Submit for approval").click()
    author.get_by_label("What changed, for the person who approves").fill("No waves any more")
    author.get_by_role("button", name=re.compile(r"^Submit draft \d+$")).click()
    author.get_by_text("1 other person must approve it").wait_for()
    author.get_by_role("link", name="See the request").first.click()
    assert "It takes the role approver" in author.inner_text("main")

    approver = visit("approver").open("/console/")
    approver.get_by_role("link", name="Weekly digest").first.click()
    approver.get_by_text("counted now").wait_for()
    assert "No waves any more" in approver.inner_text("main")
    assert "removed" in approver.inner_text("main") or "Ramp" in approver.inner_text("main")
    approver.get_by_role("button", name="Reject").click()
    assert "what must change" in approver.get_by_role("alert").inner_text()
    approver.get_by_role("button", name="Approve 1 change").click()
    approver.get_by_text("Approved. It can be released now.").wait_for()
    approver.get_by_role("main").get_by_role("button", name="Release").click()
    approver.get_by_text("in force now").wait_for()

    strict = visit("approver", java_script_enabled=False).open("/console/campaigns/weekly-digest/launch/")
    strict.get_by_label("to confirm").fill("1")
    strict.get_by_role("button", name="Send to").click()
    assert "It was not launched" in strict.get_by_role("alert").inner_text(), "the server verifies the number, too"

    approver.goto(approver.url.split("/console/")[0] + "/console/campaigns/weekly-digest/launch/")
    count = approver.locator("#launch-count").inner_text().split()[0]
    button = approver.get_by_role("button", name=f"Send to {count} people")
    assert button.is_disabled()
    approver.get_by_label(f"Type {count} to confirm").fill("12")
    assert button.is_disabled()
    approver.get_by_label(f"Type {count} to confirm").fill(count)
    button.click()
    approver.wait_for_load_state("networkidle", timeout=60_000)
    assert "/console/runs/" in approver.url, approver.inner_text("main")
    until(approver, "!document.querySelector('#run-live').hasAttribute('hx-trigger')", seconds=90)
    assert approver.locator("#run-live .figure").first.inner_text() != "0"


def test_an_author_cannot_launch(visit: Visit) -> None:
    page = visit("author").open("/console/campaigns/spring-sale/launch/")
    assert "needs the role approver" in page.inner_text("main")


def test_somebody_finds_out_why_a_person_did_not_get_it(visit: Visit) -> None:
    visitor = visit("viewer")
    page = visitor.open("/console/messages/?dispatch=1&state=skipped")
    page.get_by_role("table").get_by_role("link").first.click()
    assert "Left out at the last look" in page.inner_text("main")


def test_the_unsubscribe_link_of_a_mail_in_the_outbox_can_be_followed(visit: Visit) -> None:
    visitor = visit("author")
    page = visitor.open("/console/outbox/?channel=email")
    page.get_by_role("table").get_by_role("link").last.click()
    assert "allow-scripts" not in (page.locator("iframe").get_attribute("sandbox") or "")
    leads = page.frame_locator("iframe").locator("a[href*='/u/']").last.get_attribute("href") or ""
    assert page.locator("iframe").get_attribute("sandbox") == "allow-popups allow-popups-to-escape-sandbox"
    page.goto(visitor.house + urlsplit(leads).path)  # the mail was made where the demonstration ran, at another port
    page.get_by_role("main").get_by_role("button").wait_for()


def test_a_campaign_that_an_event_starts_asks_about_the_event_in_fields(visit: Visit) -> None:
    page = visit("author").open("/console/campaigns/welcome/")
    page.get_by_role("button", name="Add a condition on what is in the event").click()
    page.get_by_label("Only if, part 1: property").fill("plan")
    page.get_by_label("Only if, part 1: how it compares").select_option("in")
    page.get_by_label("Only if, part 1: values, one a line").fill("pro\npremier")
    page.get_by_role("button", name="Save draft").click()
    page.get_by_text("Saved as revision").wait_for()
    page.goto(page.url.split("?")[0] + "?as=yaml")
    written = page.get_by_label("Source (YAML)").input_value()
    assert "property: plan" in written and "- premier" in written and "op: in" in written
