"""Plain text as an author wrote it, with its addresses made countable: SMS, and text parts written by hand."""

from __future__ import annotations

import re

from presentation.door import LocalizedContent
from rendering.holes import Holes

_URL = re.compile(r"https?://[^\s<>\"'()\[\]{}]+[^\s<>\"'()\[\]{}.,;:!?…]", re.IGNORECASE)


def text(content: LocalizedContent, holes: Holes) -> str:
    """The message with stand-ins."""
    return linked((content.text or "").strip(), holes)


def linked(source: str, holes: Holes) -> str:
    """An authored text with stand-ins for its expressions and its addresses."""
    return _URL.sub(lambda found: holes.link(found[0]), holes.text(source))
