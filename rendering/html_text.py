"""Plain text of an administrator's raw HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from rendering.holes import Holes
from rendering.raw_html import cleaned

_BREAKS = frozenset("p div br tr table h1 h2 h3 h4 li ul ol blockquote hr pre".split())
_CELLS = frozenset({"td", "th"})


def text_of(source: str, holes: Holes) -> str:
    """The words of cleaned HTML, links with their address behind, at most one empty line between paragraphs."""
    reader = _Reader()
    reader.feed(cleaned(source, holes))
    reader.close()
    text = re.sub(r"[ \t]+", " ", "".join(reader.parts))
    return re.sub(r"\n{3,}", "\n\n", re.sub(r" ?\n ?", "\n", text)).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag in _BREAKS:
            self.parts.append("\n- " if tag == "li" else "\n")
        elif tag == "a":
            self.targets.append(found.get("href") or "")
        elif tag == "img" and found.get("alt"):
            self.parts.append(f"[{found['alt']}]")

    def handle_endtag(self, tag: str) -> None:
        if tag in _BREAKS:
            self.parts.append("\n")
        elif tag in _CELLS:
            self.parts.append(" ")
        elif tag == "a" and self.targets and (target := self.targets.pop()):
            self.parts.append(f" ({target})")

    def handle_data(self, data: str) -> None:
        self.parts.append(data.replace("\n", " "))
