"""How a mail looks: nothing is cut off on a narrow phone, in light and in dark, from left and from right."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from rendering.door import preview
from tests.presentation.letters import FOOTER, block, content, email

pytestmark = pytest.mark.browser
LONG = "Donaudampfschifffahrtsgesellschaftskapitän"
PLAIN_PIXEL = "<svg xmlns='http://www.w3.org/2000/svg' width='1200' height='500'/>"


def letter(locale: str) -> str:
    blocks: list[dict[str, Any]] = [
        block("image", bleed=True),
        block("heading", text=f"{LONG} heißt er"),
        block("text", text="A **word**, [a link](https://shop.example.com/) and a list:\n\n- one\n- two\n\n> quoted"),
        block("button", label=LONG),
        block("button", id="other", label="Later", look="outlined"),
        block("divider"),
        block("columns", columns=[[block("text", id="c1")], [block("button", id="c2")], [block("heading", id="c3", level=2)]]),
        FOOTER,
    ]
    theme = {"brand": {"name": "Harbour & Pine", "href": "https://shop.example.com/"}}
    body = email(locales={locale: {"subject": "Ahoi", "blocks": blocks}}, default_locale=locale, theme=theme)
    return preview(content(body), None, {}).html


def shown(browser: Browser, html: str, *, width: int, scheme: Any = "light") -> Page:
    page = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme).new_page()
    page.route("https://**", lambda route: route.fulfill(body=PLAIN_PIXEL, content_type="image/svg+xml"))
    page.set_content(html)
    return page


@pytest.mark.parametrize("locale", ["de", "ar"])
@pytest.mark.parametrize("width", [320, 360, 700])
def test_nothing_is_wider_than_the_window_and_no_button_is_cut_off(browser: Browser, locale: str, width: int) -> None:
    page = shown(browser, letter(locale), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = page.evaluate("[...document.querySelectorAll('a')].map(a => [a.getBoundingClientRect().left, a.getBoundingClientRect().right])")
    assert all(left >= 0 and right <= width for left, right in boxes)
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_mail_has_no_serious_fault_for_screen_readers_or_weak_eyes(browser: Browser, scheme: str) -> None:
    page = shown(browser, letter("de"), width=700, scheme=scheme)
    found = Axe().run(page).response["violations"]
    assert [fault["id"] for fault in found if fault["impact"] in {"serious", "critical"}] == []
    page.context.close()


def test_dark_mode_turns_the_sheet_and_the_ink(browser: Browser) -> None:
    light, dark = (shown(browser, letter("de"), width=700, scheme=scheme) for scheme in ("light", "dark"))
    colours = [page.evaluate("getComputedStyle(document.querySelector('h1')).color") for page in (light, dark)]
    assert colours == ["rgb(27, 36, 48)", "rgb(233, 236, 241)"]
    for page in (light, dark):
        page.context.close()
