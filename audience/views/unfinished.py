"""What keeps the rule in the builder's form from being counted, in the builder's own words, and where it is mended."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from governance.door import ConsoleRequest, Editor, Finding, Invalid, Missing, field_id, look_up, read_body, still_empty

NAMED = 3  # unfinished conditions that a sentence names


@dataclass(frozen=True, slots=True)
class Hole:
    """A condition, a group or another field that is to be mended.

    name: what the builder calls it; field: the id of what is focused; holder: the id to fall back on.
    """

    name: str
    field: str
    holder: str
    fault: Finding

    @property
    def short(self) -> str:
        """Its name without what it is about: "condition 4.1"."""
        found = re.match(r"(?:Condition|Group) [\d.]+", self.name)
        return found[0].lower() if found else "the whole rule" if self.name == "People for whom" else self.name


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Everything that is to be mended, each condition and group once. empty: conditions that somebody has yet to fill in, of which `more`
    aren't named; groups: empty ones; wrong: what says something that it can't; reason: what no field can mend."""

    empty: Sequence[Hole]
    more: int
    groups: Sequence[Hole]
    wrong: Sequence[Hole]
    reason: str


def unfinished(request: ConsoleRequest, editor: Editor, error: Invalid | Missing) -> Unfinished:
    """What the form that was posted lacks, by what was said against it."""
    findings: Sequence[Finding] = error.findings
    form = _form(request)
    found: dict[str, list[Hole]] = {"empty": [], "groups": [], "wrong": []}
    seen: set[str] = set()
    for finding in findings:
        sort, hole = _hole(editor, form, finding)
        if hole.holder not in seen:
            found[sort].append(hole)
        seen.add(hole.holder)
    empty = found["empty"]
    return Unfinished(empty[:NAMED], len(empty[NAMED:]), found["groups"], found["wrong"], "" if findings else error.reason)


def _form(request: ConsoleRequest) -> Mapping[str, Any]:
    """The form's fields; none where its text is edited, whose places are pointers."""
    if "source" in request.POST:
        return {}
    try:
        return read_body((name, value) for name, values in request.POST.lists() for value in values[-1:])
    except Invalid:
        return {}


def _hole(editor: Editor, form: Mapping[str, Any], finding: Finding) -> tuple[str, Hole]:
    if not form:
        return "wrong", Hole(finding.path or "the text", "source", finding.path, finding)
    path = editor.place(finding.path, dict(form))
    name = editor.label(path, dict(form)) or "the rule"
    holder = (re.match(r"/rule(?:/of/\d+)*", path) or [path])[0]
    node = look_up(dict(form), holder)
    if finding.found == "an empty group" and isinstance(node, Mapping):
        return "groups", Hole(name, field_id(f"{holder}/of"), field_id(holder), finding)
    return "empty" if still_empty([finding]) else "wrong", Hole(name, field_id(path), field_id(holder), finding)
