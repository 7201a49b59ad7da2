"""Admins let people in and make keys; both are shown once."""

from __future__ import annotations

from tests.browser.conftest import Visit


def test_a_key_is_shown_once_and_can_be_revoked(visit: Visit) -> None:
    page = visit("admin").open("/console/api-keys/")
    page.get_by_role("button", name="New key").first.click()
    page.get_by_label("Name", exact=True).fill("checkout")
    page.get_by_label("messages:send").check()
    page.get_by_role("button", name="Make the key").click()
    assert page.get_by_role("textbox", name="API key", exact=True).input_value().startswith("omni_")
    page.goto(page.url.replace("create/", ""))
    assert page.get_by_role("textbox", name="API key", exact=True).count() == 0
    page.get_by_role("button", name="Revoke checkout").click()
    page.get_by_role("button", name="Revoke the key").click()
    assert page.get_by_text("Revoked").first.is_visible()


def test_a_new_colleague_chooses_a_password_by_a_link_that_works_once(visit: Visit) -> None:
    page = visit("admin").open("/console/people/")
    page.get_by_role("button", name="Add a person").click()
    page.get_by_label("User name").fill("grace")
    page.get_by_role("button", name="Add and make a link").click()
    link = page.get_by_label("Invitation link").input_value()
    guest = visit().open("/" + link.split("/", 3)[3])
    guest.get_by_label("Password").fill("short")
    guest.get_by_label("The same again").fill("short")
    guest.get_by_role("button", name="Keep this password").click()
    assert "at least 10 characters" in guest.inner_text("main")
    guest.get_by_label("Password").fill("a-long-enough-one")
    guest.get_by_label("The same again").fill("a-long-enough-one")
    guest.get_by_role("button", name="Keep this password").click()
    guest.wait_for_url("**/console/sign-in/")
    guest.get_by_label("User name").fill("grace")
    guest.get_by_label("Password").fill("a-long-enough-one")
    guest.get_by_role("button", name="Sign in").click()
    guest.wait_for_url("**/console/")
    guest.goto(link)
    assert "This link no longer works" in guest.inner_text("main")
