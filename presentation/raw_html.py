"""Raw HTML is an administrator's: others may edit around what is there already, letter for letter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from governance.door import CheckContext, Finding, Invalid, Role, pointer
from presentation.blocks import At, HtmlBlock, walk

WORDLESS = re.compile(r"<img\b(?![^>]*\balt\s*=)", re.IGNORECASE)


class HasBlocks(Protocol):
    """One translation of something made of blocks."""

    @property
    def blocks(self) -> Sequence[Any]: ...


def raw_html_findings(context: CheckContext, locales: Mapping[str, HasBlocks], latest: Mapping[str, HasBlocks]) -> list[Finding]:
    """A warning at each block of raw HTML. latest: the translations as drafted before. Raises Invalid where somebody who isn't an
    administrator has changed one."""
    found = list(_html_blocks(locales))
    trusted = context.actor is None or context.actor.role.covers(Role.ADMIN)
    if found and not trusted:
        known = {html for _, html in _html_blocks(latest)}
        expected = "typed blocks: raw HTML may be written or changed by an administrator only"
        refused = [Finding("error", pointer(path), "raw HTML that is new", expected) for path, html in found if html not in known]
        if refused:
            raise Invalid(refused)
    return [
        Finding("warning", pointer(path), "raw HTML", "a look at the preview: this block is shown as written, cleaned") for path, _ in found
    ]


def _html_blocks(locales: Mapping[str, HasBlocks]) -> Iterator[tuple[At, str]]:
    for tag, locale in locales.items():
        for path, block in walk(locale.blocks, ("locales", tag, "blocks")):
            if isinstance(block, HtmlBlock):
                yield (*path, "html"), block.html
