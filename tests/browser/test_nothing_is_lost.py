"""Editing loses nothing: overtaken saves, faults, and a closed window."""

from __future__ import annotations

from governance.submitted import submitted
from tests.browser.conftest import Visit


def test_an_overtaken_edit_shows_both_sides_and_can_go_on(visit: Visit) -> None:
    mine = visit("author").open("/console/segments/vip-guests/")
    theirs = visit("approver").open("/console/segments/vip-guests/")
    theirs.get_by_label("What it is for").fill("Theirs")
    theirs.get_by_role("button", name="Save draft").click()
    theirs.get_by_text("Saved as revision 2.").wait_for()
    mine.get_by_label("Title").fill("My VIPs")
    with mine.expect_response(lambda response: response.status == 409):
        mine.get_by_role("button", name="Save draft").click()
    mine.get_by_text("Somebody saved this segment while you were editing.").wait_for()
    assert "Theirs" in mine.inner_text("main") and "My VIPs" in mine.inner_text("main")
    mine.get_by_role("button", name="Go on with both changes").click()
    mine.get_by_label("Title").wait_for()
    assert mine.get_by_label("Title").input_value() == "My VIPs"
    assert mine.get_by_label("What it is for").input_value() == "Theirs", "what they changed elsewhere stays"
    mine.get_by_role("button", name="Save draft").click()
    mine.get_by_text("Saved as revision 3.").wait_for()


def test_unsaved_work_is_kept_in_the_browser_and_offered_again(visit: Visit) -> None:
    visitor = visit("author")
    page = visitor.open("/console/segments/dreamers/")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_label("Title").fill("Half a thought")
    page.get_by_text("kept in this browser").wait_for()
    page.close(run_before_unload=False)
    page = visitor.open("/console/segments/dreamers/")
    page.get_by_role("button", name="Go on with them").click()
    page.get_by_label("Title").wait_for()
    assert page.get_by_label("Title").input_value() == "Half a thought"


def test_work_whose_save_failed_is_offered_again_after_leaving(visit: Visit) -> None:
    page = visit("author").open("/console/templates/welcome/")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_label("Subject in en").fill("Hello {{ frist_name }}")
    page.get_by_text("kept in this browser").wait_for()
    with page.expect_response(lambda response: response.status == 422):
        page.get_by_role("button", name="Save draft").click()
    page.get_by_role("alert").wait_for()
    page.goto(page.url.replace("welcome/", ""))
    page.goto(page.url + "welcome/")
    page.get_by_role("button", name="Go on with them").click()
    page.get_by_text("Not saved").wait_for()
    assert page.get_by_label("Subject in en").input_value() == "Hello {{ frist_name }}"
    page.get_by_label("Subject in en").fill("Hello {{ first_name }}")
    page.get_by_role("button", name="Save draft").click()
    page.get_by_text("Saved as revision").wait_for()
    page.reload()
    assert page.get_by_role("button", name="Go on with them").count() == 0


def test_a_new_document_whose_save_failed_is_offered_again(visit: Visit) -> None:
    page = visit("author").open("/console/new/segments/")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_label("Title").fill("Lisbon lovers")
    with page.expect_response(lambda response: response.status == 422):
        page.get_by_role("button", name="Create segment").click()
    page.get_by_role("alert").wait_for()
    page.goto(page.url.replace("new/segments/", "segments/"))
    page.goto(page.url.replace("segments/", "new/segments/"))
    page.get_by_role("button", name="Go on with them").click()
    page.get_by_text("Not saved").wait_for()
    assert page.get_by_label("Title").input_value() == "Lisbon lovers"


def test_another_language_or_the_source_is_no_unsaved_work(visit: Visit) -> None:
    page = visit("author").open("/console/templates/welcome/")
    page.get_by_role("group", name="Language to edit").get_by_role("button", name="de", exact=True).click()
    page.get_by_label("Subject in de").wait_for()
    page.wait_for_timeout(1000)  # longer than the editor waits before it keeps what is typed
    assert "Not saved" not in page.inner_text("main")
    page.get_by_role("button", name="YAML").click()
    page.get_by_label("Source (YAML)").wait_for()
    page.reload()
    assert "Not saved" not in page.inner_text("main")
    assert page.get_by_role("button", name="Go on with them").count() == 0


def test_yaml_with_a_fault_stays_on_the_page_with_its_place_named(visit: Visit) -> None:
    page = visit("author").open("/console/segments/dreamers/?as=yaml")
    text = page.get_by_label("Source (YAML)")
    text.fill(text.input_value() + "\nunknown_field: 1\n")
    page.get_by_role("button", name="Save draft").click()
    assert "/unknown_field" in page.get_by_role("alert").inner_text()
    assert "unknown_field: 1" in text.input_value()


def test_looking_at_a_template_in_another_way_is_no_unsaved_work(visit: Visit) -> None:
    page = visit("author").open("/console/templates/welcome/")
    page.get_by_label("Shown as", exact=True).get_by_role("option").nth(1).wait_for(state="attached")
    with page.expect_response(lambda response: "/look/templates/info/" in response.url):
        page.get_by_label("Shown as", exact=True).select_option(index=1)
    page.get_by_role("button", name="Dark").click()
    page.wait_for_timeout(1000)  # longer than the editor waits before it keeps what is typed
    assert "Not saved" not in page.inner_text("main")


def test_a_note_for_the_history_is_written_on_a_phone_too(visit: Visit) -> None:
    page = visit("author").open("/console/segments/spring-travellers/", width=390)
    page.get_by_label("What it is for").fill("Whoever travels in spring, from the phone.")
    note = page.get_by_label("Note for the history")
    assert not note.is_visible(), "the bar keeps to one line"
    page.get_by_role("button", name="More: note, YAML, JSON").click()
    note.fill("Said on the way")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Save draft").click()
    page.get_by_text("Saved as revision").wait_for()
    page.get_by_role("link", name="History").click()
    page.get_by_text("Said on the way").first.wait_for()


def test_a_browser_sends_of_an_untouched_form_what_the_pages_ask_themselves(visit: Visit) -> None:
    visitor = visit("admin")
    page = visitor.open("/console/")
    for address in (
        "segments/spring-travellers",
        "segments/lapsed-guests",
        "templates/spring-sale",
        "campaigns/weekly-digest",
        "sending-policies/default",
        "attributes/stays",
    ):
        html = page.evaluate("path => fetch(path).then(answer => answer.text())", f"/console/{address}/")
        sent = page.evaluate(
            "html => [...new FormData(new DOMParser().parseFromString(html, 'text/html').getElementById('editor'))]"
            ".map(([name, value]) => [name, value])",
            html,
        )
        said = [(name, value) for name, value in sent if name.startswith("/")]
        assert said == [(name, value.replace("\r\n", "\n")) for name, value in submitted(html) if name.startswith("/")], address
