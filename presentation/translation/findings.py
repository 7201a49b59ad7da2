"""What authors and approvers should know of a template's translations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from governance.door import Finding, pointer
from presentation.documents import TemplateBody
from presentation.plurals import categories, known_categories
from presentation.translation.literals import expressions_in, groups, literals, says
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


def plural_findings(text: str, tag: str, at: str) -> Iterator[Finding]:
    """Forms of plurals in a text that its language has and that aren't given, and those that it doesn't have."""
    wanted, known = categories(tag), known_categories(tag)
    for expression in expressions_in(text):
        for group in groups(literals(expression)):
            said = says(group)
            if isinstance(said, str):
                continue
            given = [name for name, _ in said]
            if lacking := [name for name in wanted if name not in given]:
                forms = f"the forms of {tag}: {', '.join(wanted)}. Numbers of these read the form other"
                yield Finding("warning", at, f"a plural without {', '.join(lacking)}", forms)
            if strange := [name for name in given if name not in known]:
                yield Finding("warning", at, f"a plural with {', '.join(strange)}", f"the forms that {tag} has: {', '.join(known)}")
