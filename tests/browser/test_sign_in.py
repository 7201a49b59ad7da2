"""Signing in, staying in, leaving."""

from __future__ import annotations

from tests.browser.conftest import Visit


def test_a_wrong_password_is_said_and_the_right_one_opens_home(visit: Visit) -> None:
    page = visit().open("/console/campaigns/")
    page.get_by_label("User name").fill("author")
    page.get_by_label("Password").fill("wrong-password")
    page.get_by_role("button", name="Sign in").click()
    assert "No account has this user name and password" in page.get_by_role("alert").inner_text()
    page.get_by_label("Password").fill("wayfare-author")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/campaigns/")


def test_signing_out_closes_every_page(visit: Visit) -> None:
    page = visit().open("/console/")
    page.get_by_label("User name").fill("viewer")
    page.get_by_label("Password").fill("wayfare-viewer")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/")
    page.get_by_role("button", name="viewer").click()
    page.get_by_role("button", name="Sign out").first.click()
    page.wait_for_url("**/console/sign-in/")
    page.goto(page.url.replace("sign-in/", "profiles/"))
    assert "/console/sign-in/" in page.url


def test_no_address_leads_to_another_host_after_signing_in(visit: Visit) -> None:
    page = visit().open("/console/sign-in/?next=https://elsewhere.example/")
    page.get_by_label("User name").fill("author")
    page.get_by_label("Password").fill("wayfare-author")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/")
