"""Who a segment is, at a moment: the ids, their number, a fair sample, and whether these people still match."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from pyroaring import BitMap64

from audience import planner
from audience.backends.base import EngineUnavailable
from audience.backends.capabilities import ELASTICSEARCH, answers
from audience.backends.choice import Choice, engines_for, overlooked
from audience.backends.database import Database
from audience.catalogue import Catalogue, catalogue, types_of
from audience.documents import SEGMENT, SegmentBody
from audience.id_lists import list_numbers
from audience.record_types import record_shapes
from audience.rules.binding import Lookup, Scope, bind
from audience.rules.bound import Bound, leaves
from audience.rules.nodes import TriggerRule
from governance import door as governance
from governance.door import DocumentModel, Invalid, Missing

Segment = str | SegmentBody
Drafts = bool | Mapping[str, SegmentBody]
"""How the segments are read that a rule refers to: False as released, True as last saved; bodies by key stand in for what is released."""


class Happened(Protocol):
    """An event at hand: anything with properties."""

    @property
    def properties(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Resolution:
    """Who a segment is. engine: what answered ("database", "elasticsearch", "elasticsearch + database"); note: why not the index."""

    ids: BitMap64
    count: int
    engine: str
    note: str
    as_of: datetime


class _AnyRule(DocumentModel):
    rule: TriggerRule


def resolve(workspace_id: int, segment: Segment, *, as_of: datetime, max_lag: float | None = None, drafts: Drafts = False) -> Resolution:
    """Everyone in the segment: a key (its released revision), or a body.

    drafts: whether the segments that it refers to are read as last saved, for previews, or as released.
    max_lag: how many seconds the index may be behind; the setting where None. Raises Missing and Invalid.
    """
    node = question(workspace_id, segment, as_of=as_of, drafts=drafts).node
    choice = _engines(workspace_id, node, as_of=as_of, max_lag=max_lag)
    found, answered_by, note = _asked(choice, node, lambda plan: planner.ids(plan, workspace_id))
    return Resolution(found, len(found), answered_by, note, as_of)


def count(workspace_id: int, segment: Segment, *, as_of: datetime, drafts: Drafts = False) -> int:
    """How many people are in the segment. One counting query where one engine answers the whole rule."""
    node = question(workspace_id, segment, as_of=as_of, drafts=drafts).node

    def counted(plan: planner.Plan) -> int:
        if isinstance(plan, planner.Ask):
            return plan.engine.count(workspace_id, plan.node)
        return len(planner.ids(plan, workspace_id))

    many: int = _asked(_engines(workspace_id, node, as_of=as_of), node, counted)[0]
    return many


def reach(workspace_id: int, body: SegmentBody, now: datetime) -> int | None:
    """How many people a drafted body would reach now, None while it can't be asked (its findings say why)."""
    try:
        return count(workspace_id, body, as_of=now, drafts=True)
    except (Invalid, Missing):
        return None


def matching(
    workspace_id: int,
    rule: DocumentModel | Mapping[str, Any] | Segment,
    ids: Collection[int] | BitMap64,
    *,
    as_of: datetime,
    event: Happened | Mapping[str, Any] | None = None,
) -> BitMap64:
    """Which of these people the rule matches now, by the database. rule: a node, its JSON, a segment's body or its key.

    event: what triggers; only then may the rule ask about it. Raises Missing and Invalid.
    """
    node = question(workspace_id, rule, as_of=as_of, event=event).node
    return planner.ids(planner.plan(node, [Database()]), workspace_id, within=BitMap64(ids))


@dataclass(frozen=True, slots=True)
class Question:
    """A rule as written and as asked, side by side. read: how it read other segments' rules; known: the attributes it was bound to."""

    written: DocumentModel
    node: Bound
    read: Lookup
    known: Catalogue


def question(
    workspace_id: int,
    rule: DocumentModel | Mapping[str, Any] | Segment,
    *,
    as_of: datetime,
    drafts: Drafts = False,
    event: Happened | Mapping[str, Any] | None = None,
) -> Question:
    """The rule, looked up and bound. Raises Missing where a key has no released segment, Invalid with every fault of the rule."""
    properties = event if isinstance(event, Mapping) or event is None else event.properties
    known = catalogue(workspace_id)
    read = _reader(workspace_id, drafts=drafts)
    written = _written(workspace_id, rule)
    scope = Scope(types_of(known), read, as_of, properties, partial(list_numbers, workspace_id), partial(record_shapes, workspace_id))
    node = bind(written, scope, at="/rule", key=rule if isinstance(rule, str) else "")
    return Question(written, node, read, known)


def _written(workspace_id: int, rule: DocumentModel | Mapping[str, Any] | Segment) -> DocumentModel:
    """The rule itself, whichever way it was given."""
    if isinstance(rule, str):
        rule = governance.released(workspace_id, SEGMENT, rule).model
    if isinstance(rule, SegmentBody):
        return rule.rule
    return rule if isinstance(rule, DocumentModel) else governance.parse(_AnyRule, {"rule": rule}).rule


def _reader(workspace_id: int, *, drafts: Drafts) -> Lookup:
    """Reads other segments' rules, each once."""
    given = {} if isinstance(drafts, bool) else drafts
    known: dict[str, DocumentModel | None] = {key: body.rule for key, body in given.items()}

    def read(key: str) -> DocumentModel | None:
        if key not in known:
            try:
                if drafts is True:
                    view = governance.document(workspace_id, SEGMENT, key).latest
                else:
                    view = governance.released(workspace_id, SEGMENT, key)
                known[key] = view.model.rule
            except Missing:
                known[key] = None
        return known[key]

    return read


def _engines(workspace_id: int, node: Bound, *, as_of: datetime, max_lag: float | None = None) -> Choice:
    """Who may answer. Where the index could answer nothing of the rule, it isn't even looked at."""
    if not any(answers(ELASTICSEARCH, leaf) for leaf in leaves(node)):
        return Choice((Database(),))
    return engines_for(workspace_id, as_of=as_of, max_lag=max_lag)


def _asked(choice: Choice, node: Bound, ask: Callable[[planner.Plan], Any]) -> tuple[Any, str, str]:
    """(the answer, who gave it, why not the index): by the engines of the choice, or by the database alone if one of them fails."""
    plan = planner.plan(node, choice.engines)
    try:
        return ask(plan), _names(plan), choice.note or overlooked(choice, node)
    except EngineUnavailable as unavailable:
        plan = planner.plan(node, [Database()])
        return ask(plan), _names(plan), f"the database answered: {unavailable}"


def _names(plan: planner.Plan) -> str:
    return " + ".join(sorted({ask.engine.name for ask in planner.asked(plan)}, reverse=True))
