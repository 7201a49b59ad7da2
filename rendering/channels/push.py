"""A push message: title and body as an author wrote them, and what travels beside them."""

from __future__ import annotations

from presentation.door import LocalizedContent
from rendering.holes import Holes


def options(content: LocalizedContent, holes: Holes) -> dict[str, str]:
    """What travels beside title and body, by name, with stand-ins; what isn't said is left out. Data by "data." and its name."""
    found = {
        "link": holes.link(content.link) if content.link else "",
        "image": holes.picture(content.image) if content.image else "",
        "collapse_key": holes.text(content.collapse_key),
        **{f"data.{name}": holes.text(text) for name, text in content.data.items()},
    }
    return {name: text for name, text in found.items() if text}
