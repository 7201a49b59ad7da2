"""A whole product in a process of its own, with the demonstration's people and documents, seen through Chromium."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests import demonstration, runs

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

MANAGE = [sys.executable, "manage.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running instance of this worker's own: the demonstration's data, console and worker in one process."""
    folder = tmp_path_factory.mktemp("house")
    shutil.copytree(demonstration.made(), folder, dirs_exist_ok=True)
    said = folder / "serve.log"
    given = demonstration.environment(folder, OMNI_PORT=str(runs.free_port()), PYTHONUNBUFFERED="1")
    with said.open("w") as log:
        serving = subprocess.Popen([*MANAGE, "serve"], cwd=demonstration.ROOT, env=given, stdout=log, stderr=log)
    try:
        runs.wait_for(lambda: _address(said) is not None, serving, said, "the house")
        yield _address(said) or ""
    finally:
        serving.terminate()
        try:
            serving.wait(timeout=45)
        except subprocess.TimeoutExpired:
            serving.kill()


def _address(said: Path) -> str | None:
    found = re.search(r"(http://[\d.:]+)/console/", said.read_text())
    return found[1] if found else None


@dataclass
class Visitor:
    """One signed-in person's browser. faults: what went wrong on any page: policy violations, script errors, strangers' hosts, 5xx."""

    house: str
    context: BrowserContext
    faults: list[str] = field(default_factory=list)
    auditing: bool = False  # axe paints with inline styles of its own, which the policy stops

    def open(self, path: str, *, width: int = 1440, scheme: str = "light") -> Page:
        """A page at this address, watched."""
        page = self.context.new_page()
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.on("pageerror", lambda error: self.faults.append(f"script error on {page.url}: {error}"))
        page.on("console", lambda message: self._told(message.text))
        page.on("request", lambda request: self._stranger(request.url))
        page.on("response", lambda response: self._broken(response.status, response.url))
        page.goto(self.house + path)
        return page

    def _stranger(self, url: str) -> None:
        if not url.startswith((self.house, "data:", "about:", "blob:")):
            self.faults.append(f"a request to another host: {url}")

    def _broken(self, status: int, url: str) -> None:
        if status >= 500:
            self.faults.append(f"{status} at {url}")

    def _told(self, words: str) -> None:
        if "Content Security Policy" in words and not self.auditing:
            self.faults.append(words)


Visit = Callable[..., Visitor]


def until(page: Page, condition: str, *, seconds: float = 20) -> None:
    """Wait until this expression is true on the page (the policy forbids pages to evaluate text, so Playwright's own wait can't)."""
    for _ in range(int(seconds * 20)):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {condition}")


def settled(page: Page) -> None:
    """Wait until the page has all its parts: for some frames in a row it asks for none. (Playwright's "networkidle" is half a second.)"""
    page.evaluate(
        """async () => {
            for (let calm = 0; calm < 8; ) {
                await new Promise(requestAnimationFrame);
                calm = document.querySelector(".htmx-request") ? 0 : calm + 1;
            }
        }"""
    )


@pytest.fixture(scope="session")
def arrive(house: str, browser: Browser) -> Callable[..., Visitor]:
    """arrive("author") is a browser of that person's, signed in; arrive() is a stranger's. Who lets one arrive closes its context."""
    states: dict[str, Any] = {}

    def let_in(person: str = "", **options: Any) -> Visitor:
        if person and person not in states:
            states[person] = _sign_in(house, browser, person)
        context = browser.new_context(storage_state=states.get(person), timezone_id="Europe/Berlin", **options)
        context.set_default_timeout(20_000)
        return Visitor(house, context)

    return let_in


@pytest.fixture
def visit(arrive: Callable[..., Visitor]) -> Iterator[Visit]:
    """visit("author") is a browser signed in as that person; at the end, nothing may have gone wrong in any of them."""
    visitors: list[Visitor] = []

    def one_more(*who: str, **options: Any) -> Visitor:
        visitors.append(arrive(*who, **options))
        return visitors[-1]

    yield one_more
    for visitor in visitors:
        visitor.context.close()
    assert [fault for visitor in visitors for fault in visitor.faults] == []


def _sign_in(house: str, browser: Browser, person: str) -> Any:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{house}/console/sign-in/")
    page.get_by_label("User name").fill(person)
    page.get_by_label("Password").fill(f"wayfare-{person}")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{house}/console/")
    state = context.storage_state()
    context.close()
    return state
