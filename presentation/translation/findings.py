"""What authors and approvers should know of a template's translations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from governance.door import Finding, pointer
from presentation.documents import TemplateBody
from presentation.translation.records import Status
from presentation.translation.units import units

_NAMED = 5  # texts that are named
_SAID: dict[Status, tuple[str, str]] = {
    "missing": ("not translated", "a translation of each from {}"),
    "stale": ("translated from what {} no longer says", "a look at each: the source was changed"),
    "draft": ("that nobody has reviewed", "a review of each: so the approval policy asks"),
}
_LACKS: dict[str, tuple[Status, ...]] = {"any": (), "complete": ("missing", "stale"), "reviewed": ("missing", "stale", "draft")}


def translation_findings(body: TemplateBody, demanded: str) -> Iterator[Finding]:
    """Per locale, how many texts are missing or stale: a warning, and an error where the approval policy demands otherwise.

    demanded: its `translations`: any, complete or reviewed.
    """
    for tag in body.locales:
        if tag == body.default_locale:
            continue
        found = units(body, tag)
        for status, (words, expected) in _SAID.items():
            ids = [unit.id for unit in found if unit.status == status]
            level: Literal["error", "warning"] = "error" if status in _LACKS[demanded] else "warning"
            if ids and (level == "error" or status != "draft"):
                named = ", ".join(ids[:_NAMED]) + (f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else "")
                said = f"{len(ids)} of {len(found)} texts {words.format(body.default_locale)}: {named}"
                yield Finding(level, pointer(("locales", tag)), said, expected.format(body.default_locale))
