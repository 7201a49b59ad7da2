"""Walk docs/tutorial.md in a browser, as it is written, and take the pictures of the documents on the way.

    python -m scripts.walk_tutorial [--keep FOLDER]

Starts a demonstration of its own in a new folder and follows the tutorial by the labels that it names; a label that has
changed stops the walk. Prints the numbers that the tutorial tells, and writes docs/images/*.png.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests import engines  # noqa: E402

IMAGES = ROOT / "docs" / "images"
WIDE = {"width": 1440, "height": 900}
TEXT = "Book three nights anywhere in Europe by the end of the month, {{ %s }}, and we pay for one of them."


@contextmanager
def demonstration(folder: Path) -> Iterator[str]:
    """`make demo` without its set-up: its address, while the block lasts."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OMNI_")}
    given = {**kept, "OMNI_DATA_DIR": str(folder), "OMNI_PORT": "0", "PYTHONUNBUFFERED": "1"}
    subprocess.run([sys.executable, "manage.py", "demo"], cwd=ROOT, env={**given, "OMNI_DEMO_SERVE": "0"}, check=True)
    serving = subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=ROOT, env=given, stdout=subprocess.PIPE, text=True)
    try:
        assert serving.stdout is not None
        for line in serving.stdout:
            if line.startswith("OMNI is at "):
                yield line.split()[3].removesuffix("/console/")
                break
    finally:
        serving.terminate()
        serving.wait()


def sign_in(browser: Browser, address: str, name: str) -> Page:
    """A window of that person."""
    page = browser.new_context(viewport=WIDE, color_scheme="light", device_scale_factor=1, reduced_motion="reduce").new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{address}/console/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(f"wayfare-{name}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state("networkidle")
    return page


def picture(page: Page, name: str) -> None:
    """The window as it is, into docs/images."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(600)
    page.screenshot(path=IMAGES / f"{name}.png")
    print(f"{name:>10}.png  {page.url.split('/console/')[-1]}")


def said(page: Page, selector: str) -> str:
    """The words in one place, on one line."""
    return " ".join(page.locator(selector).first.inner_text().split())


def settle(page: Page) -> None:
    """Wait until every part of the page that was asked for has come."""
    page.wait_for_timeout(500)
    until = time.monotonic() + 30
    while page.locator(".htmx-request").count() and time.monotonic() < until:
        page.wait_for_timeout(100)


def choose(page: Page, number: int, subject: str, comparison: str, value: str) -> None:
    """One condition of the rule."""
    page.get_by_label(f"Condition {number}: about what").select_option(label=subject)
    settle(page)
    page.get_by_label(f"Condition {number}: how it compares").select_option(label=comparison)
    settle(page)
    page.locator(f"[aria-label^='Condition {number}: number'], [aria-label='Condition {number}: value']").fill(value)
    settle(page)


def say_who(author: Page) -> None:
    """Step 2."""
    author.get_by_role("link", name="Segments").first.click()
    author.get_by_role("link", name="New segment").first.click()
    author.get_by_label("Title").fill("European guests")
    choose(author, 1, "Stays", "is at least", "1")
    author.get_by_role("button", name="Condition in the whole rule").click()
    choose(author, 2, "Time zone", "starts with", "Europe/")
    author.locator("#look", has_text="Europe/").wait_for()
    picture(author, "segment")
    print("segment:", said(author, "#look"))
    author.get_by_role("button", name="Create segment").click()
    author.wait_for_url("**/segments/european-guests/")


def say_what(author: Page) -> None:
    """Step 3."""
    author.get_by_role("link", name="Templates").first.click()
    author.get_by_role("link", name="New template").first.click()
    for label, text in {
        "Title": "A night on us",
        "Topic": "offers",
        "Sender’s name": "Wayfare",
        "Sender’s address": "hello@wayfare.example",
        "Subject in en": "{{ first_name }}, a night on us",
    }.items():
        author.get_by_label(label).first.fill(text)
    author.get_by_label("Text", exact=True).first.fill("One night is on us")
    settle(author)
    for name in ("first_nme", "first_name"):
        author.locator("li.block").nth(1).locator("textarea").first.fill(TEXT % name)
        if name == "first_nme":
            author.get_by_text("did you mean").first.wait_for()
    author.get_by_label("Words on it", exact=True).fill("Choose a city")
    author.get_by_label("Leads to", exact=True).fill("https://wayfare.example/cities")
    author.get_by_label("Why the reader gets this").fill("You get this because you agreed to offers by Wayfare.")
    author.get_by_label("Postal address").fill("Wayfare, 1 Example Street, Lisbon")
    settle(author)
    author.get_by_role("button", name="Create template").click()
    author.wait_for_url("**/templates/a-night-on-us/")
    author.wait_for_timeout(2_000)
    picture(author, "template")
    author.get_by_role("link", name="Checks").first.click()
    author.wait_for_load_state("networkidle")
    print("checks:", said(author, "main .findings"))


def put_together(author: Page) -> None:
    """Step 4."""
    author.get_by_role("link", name="Campaigns").first.click()
    author.get_by_role("link", name="New campaign").first.click()
    author.get_by_label("Title").fill("A night on us, in Europe")
    author.get_by_label("Segment").select_option(label="European guests")
    author.get_by_label("Template").first.select_option(label="A night on us (e-mail)")
    author.get_by_role("button", name="Create campaign").click()
    author.wait_for_url("**/campaigns/a-night-on-us-in-europe/")
    author.wait_for_timeout(2_000)
    print("estimate:", said(author, "aside"))
    author.get_by_role("button", name="Submit for approval").click()
    author.get_by_label("What changed, for the person who approves").fill("A first try")
    author.get_by_role("button", name="Submit draft 1").click()
    author.get_by_text("must approve it").first.wait_for()


def approve_and_launch(approver: Page) -> None:
    """Steps 5 and 6."""
    approver.get_by_role("link", name="A night on us, in Europe").first.click()
    approver.wait_for_load_state("networkidle")
    picture(approver, "approval")
    approver.get_by_label("Comment").first.fill("Reads well.")
    approver.get_by_role("button", name="Approve 3 changes").click()
    approver.get_by_role("main").get_by_role("button", name="Release 3 documents").click()
    approver.get_by_text("in force now").first.wait_for()
    approver.get_by_role("link", name="Campaigns").first.click()
    approver.get_by_role("link", name="A night on us, in Europe").first.click()
    approver.get_by_role("link", name="Launch").first.click()
    approver.wait_for_load_state("networkidle")
    picture(approver, "launch")
    print("launch:", said(approver, "main"))
    launch(approver)


def launch(approver: Page) -> None:
    """Type the count, send, and wait until the run is through."""
    count = said(approver, "#launch-count").split()[0]
    approver.get_by_label(f"Type {count} to confirm").fill(count)
    approver.get_by_role("button", name=f"Send to {count} people").click()
    until = time.monotonic() + 120
    while ("/runs/" not in approver.url or approver.locator("#run-live[hx-trigger]").count()) and time.monotonic() < until:
        approver.wait_for_timeout(500)


def main() -> None:
    """Walk it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="keep the demonstration's data here")
    args = parser.parse_args()
    folder = args.keep or Path(tempfile.mkdtemp(prefix="omni-tutorial-"))
    with demonstration(folder) as address, sync_playwright() as playwright:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=engines.chromium(), args=flags)
        author, approver = (sign_in(browser, address, name) for name in ("author", "approver"))
        say_who(author)
        say_what(author)
        put_together(author)
        approver.reload()
        approve_and_launch(approver)
        picture(approver, "run")
        print("run:", said(approver, "main"))
        approver.emulate_media(color_scheme="dark")
        picture(approver, "run-dark")
        approver.emulate_media(color_scheme="light")
        approver.goto(f"{address}/console/campaigns/a-night-on-us-in-europe/launch/")
        print("again:", said(approver, "main"))


if __name__ == "__main__":
    main()
