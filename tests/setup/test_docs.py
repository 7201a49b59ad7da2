"""The documents hold together: links lead somewhere, generated pages are what their generators say, no registry is named."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command, get_commands

from omni.management.commands import api_operations, command_reference, document_kinds, settings_table

ROOT = Path(settings.BASE_DIR)
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
GENERATED: dict[str, Callable[[], str]] = {
    "settings.md": settings_table.table,
    "documents.md": document_kinds.page,
    "commands.md": command_reference.page,
    "api-operations.md": api_operations.page,
}
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
COMMAND = re.compile(r"manage\.py ([a-z_]+)")
REGISTRIES = re.compile(r"//[a-z0-9.-]*(pypi|pythonhosted|npmjs|maven|golang|crates|debian)")
HEAVIEST = 250_000  # bytes of one picture


def links(page: Path) -> Iterator[str]:
    """Targets of links in a page's prose that stay inside the project."""
    for target in LINK.findall(CODE.sub("", page.read_text())):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(page: Path) -> set[str]:
    """What headings of a page are called in addresses."""
    headings = HEADING.findall(re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    lost = []
    for target in links(page):
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or anchor and anchor not in anchors(there):
            lost.append(target)
    assert lost == []


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_page_is_what_its_generator_says(name: str) -> None:
    assert (ROOT / "docs" / "reference" / name).read_text() == GENERATED[name](), (
        f"docs/reference/{name} is behind the code: make reference"
    )


def test_the_command_prints_the_page(db: None) -> None:
    out = StringIO()
    call_command("document_kinds", stdout=out)
    assert out.getvalue() == document_kinds.page()


def test_every_command_that_a_page_names_exists() -> None:
    known = get_commands().keys()
    unknown = {(str(page.relative_to(ROOT)), name) for page in PAGES for name in COMMAND.findall(page.read_text()) if name not in known}
    assert unknown == set()


def test_every_page_is_reached_from_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    named = {(index.parent / target.partition("#")[0]).resolve() for target in links(index)}
    forgotten = {str(page.relative_to(ROOT)) for page in PAGES if page.is_relative_to(index.parent) and page != index} - {
        str(page.relative_to(ROOT)) for page in named
    }
    assert forgotten == set()


def test_no_page_names_a_package_registry() -> None:
    assert [page.name for page in PAGES if REGISTRIES.search(page.read_text())] == []


def test_pictures_are_used_and_light() -> None:
    used = {(page.parent / target).resolve() for page in PAGES for target in links(page) if target.endswith(".png")}
    pictures = set((ROOT / "docs" / "images").glob("*.png"))
    assert {picture.name for picture in pictures - used} == set(), "nobody shows these"
    assert {picture.name for picture in pictures if picture.stat().st_size > HEAVIEST} == set(), "too heavy"
