"""Why people leave a segment when another rule takes the place of the one in force: what brought each of them in, and what fails now.

The new rule alone says the same of everybody whom it doesn't find. What is told here is the person's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from audience.backends.database import people
from audience.explain import HIDDEN, Explanation, Sampled, in_words, told_of, value_shown
from audience.models import Profile
from audience.names import Names, names_of
from audience.profiles import load
from audience.resolve import Drafts, Question, Segment, question
from audience.rule_words import FIELD_WORDS
from audience.rules.bound import Bound, Tested, Zoned, below
from governance.door import Role

LONGEST = 60  # characters of a value
Leaf = tuple[Explanation, Bound]


def departures(
    workspace_id: int, before: Segment, after: Segment, ids: Sequence[int], *, as_of: datetime, drafts: Drafts, role: Role
) -> list[Sampled]:
    """These people, whom `before` (as released) has and `after` hasn't, and why each leaves; without those who are gone.

    drafts: as `resolve` reads them for `after`; role: who is told, and so which values stand there. Raises Missing and Invalid.
    """
    was, is_ = question(workspace_id, before, as_of=as_of), question(workspace_id, after, as_of=as_of, drafts=drafts)
    had, has = told_of(workspace_id, was, ids), told_of(workspace_id, is_, ids)
    profiles = people(workspace_id).in_bulk(list(ids))
    teller = _Teller(names_of(workspace_id, was.known), was, role)
    return [
        Sampled(person, teller.why((had[person.id], was.node), (has[person.id], is_.node), profiles[person.id]))
        for person in load(workspace_id, ids)
        if person.id in had and person.id in has and person.id in profiles
    ]


class _Teller:
    """Tells what is the person's own. names: what attributes are called; asked: the rule that knows them; role: who is told."""

    def __init__(self, names: Names, asked: Question, role: Role) -> None:
        self.names, self.asked, self.role = names, asked, role

    def why(self, had: Leaf, has: Leaf, profile: Profile) -> tuple[str, ...]:
        """What the new rule newly asks of everybody and the person lacks; else what brought the person in and is asked no more; else
        all that fails."""
        before = {leaf.sentence for leaf, _ in _leaves(*had)}
        required = [self._failing(leaf, profile) for leaf in _required(*has) if leaf[0].sentence not in before or leaf[0].matched]
        if required:
            return tuple(required)
        counts = {leaf.sentence for leaf, _ in _leaves(*has) if leaf.matched}
        lost = [self._known(leaf, profile) or leaf[0].sentence for leaf in _deciding(*had) if leaf[0].sentence not in counts]
        if lost:
            return (f"Was in by {_joined(lost)}, which no longer count{'s' if len(lost) == 1 else ''}",)
        return tuple(in_words(leaf) for leaf, _ in _deciding(*has))

    def _failing(self, leaf: Leaf, profile: Profile) -> str:
        known = self._known(leaf, profile)
        words = f"Left out now: {leaf[0].sentence}" if leaf[0].matched else in_words(leaf[0])
        return f"{words} ({known})" if known else words

    def _known(self, leaf: Leaf, profile: Profile) -> str:
        """What the condition looks at and what is known there, "Tier: silver"; "" where nothing is, or the role isn't shown it."""
        bound = leaf[1]
        if not isinstance(bound, Tested | Zoned):
            return ""
        value = value_shown(bound, profile, self.asked.known, self.role)
        title = self.names.attribute(bound.name) if bound.source == "attribute" else FIELD_WORDS.get(bound.name, "")
        return f"{title}: {_plain(value)}" if title and value not in (None, HIDDEN, "", []) else ""


def _leaves(told: Explanation, node: Bound) -> Iterator[Leaf]:
    """Every condition as told beside the condition as asked."""
    if not told.children:
        yield told, node
    for child, part in zip(told.children, below(node), strict=bool(told.children)):
        yield from _leaves(child, part)


def _deciding(told: Explanation, node: Bound) -> list[Leaf]:
    return [leaf for leaf in _leaves(told, node) if leaf[0].decided]


def _required(told: Explanation, node: Bound) -> Iterator[Leaf]:
    """The failing conditions that nothing else could make good: none of those that are one way in of several."""
    if not told.decided or (told.node == "any" and len(told.children) > 1):
        return
    if told.node == "none":
        yield from _deciding(told, node)
    elif told.children:
        for child, part in zip(told.children, below(node), strict=True):
            yield from _required(child, part)
    else:
        yield told, node


def _joined(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return _plain(", ".join(map(str, value)))
    text = f"{value:,}" if isinstance(value, int) else value.isoformat() if isinstance(value, date) else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
