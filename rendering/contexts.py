"""Where in a piece of HTML a hole lies, and so how its value must be escaped."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from rendering.escapes import Context

_MARKUP = re.compile(
    r"<!--.*?-->|<!\[[^>]*>|<(?:style|script)\b.*?</(?:style|script)\s*>|<title\b[^>]*>.*?</title\s*>|</?[A-Za-z](?:[^\"'>]|\"[^\"]*\"|'[^']*')*>",
    re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"([A-Za-z-]+)\s*=\s*\"[^\"]*$")
_LINKS = frozenset({"href", "src"})
_WORDS = frozenset({"alt", "title", "aria-label", "content"})


class Misplaced(ValueError):
    """An expression stands where no value can be made safe."""


class Places:
    """The markup of one HTML text, to be asked about positions."""

    def __init__(self, html: str) -> None:
        self.html = html
        self.spans = [found.span() for found in _MARKUP.finditer(html)]
        self.starts: Sequence[int] = [start for start, _ in self.spans]

    def context(self, position: int) -> tuple[Context, bool]:
        """The context at a position, and whether it lies in running text (where writing direction matters)."""
        number = bisect_right(self.starts, position) - 1
        if number < 0 or position >= self.spans[number][1]:
            return "html", True
        markup = self.html[self.spans[number][0] : position]
        if markup.lower().startswith("<title"):
            return "html", False
        if markup.startswith("<!") or markup.lower().startswith(("<style", "<script")):
            raise Misplaced("an expression can't stand in a comment, a style sheet or a script")
        attribute = _ATTRIBUTE.search(markup)
        name = attribute.group(1).lower() if attribute else ""
        if name in _LINKS:
            return "url", False
        if name in _WORDS:
            return "attribute", False
        raise Misplaced(f"an expression can't stand in the attribute {name or 'list of a tag'}")
