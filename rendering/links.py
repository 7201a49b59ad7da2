"""Where a counted link leads: looked up by number, filled for the person who clicked."""

from __future__ import annotations

from presentation.door import UnfitValue
from rendering.plain import render_part, values_for
from rendering.program import Compiled
from rendering.sandbox import TROUBLES
from rendering.values import Recipient


def link_target(compiled: Compiled, locale: str, number: int, recipient: Recipient | None = None) -> str | None:
    """The address behind link `number` of a locale, with the recipient's values where it has holes.
    None where there is no such link, or where a value it needs is gone (then send the reader to its host instead)."""
    message = compiled.locales.get(locale)
    part = message.link(number) if message is not None else None
    if part is None:
        return None
    if not part.holes:
        return part.constants[0].decode()
    try:
        return render_part(part, values_for(compiled, part, recipient or Recipient(0)), locale).decode()
    except (*TROUBLES, UnfitValue):
        return None
