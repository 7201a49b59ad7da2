"""The document kind `segment`: a titled rule."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from audience.catalogue import ATTRIBUTE, catalogue, types_of
from audience.event_types import kept_days
from audience.id_lists import list_numbers
from audience.record_types import RECORD_TYPE, record_types
from audience.rules import nodes
from audience.rules.binding import Scope, try_bind
from audience.rules.bound import Type
from audience.rules.moments import shift
from audience.rules.nodes import Rule, walk
from audience.rules.shapes import RecordShape
from governance.door import CheckContext, DocumentModel, Finding, Kind, Ref, Text, documents, pointer, shorten

SEGMENT = "segment"
_ANY_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)  # checks ask what fits, never who matches


class SegmentBody(DocumentModel):
    """Who: the people that a rule describes, whenever it is asked."""

    title: Annotated[str, Text(120)]
    description: Annotated[str, Text(2_000, min=0, lines=True)] = ""
    rule: Rule


def rule_references(rule: DocumentModel, at: str = "") -> list[Ref]:
    """The attributes, record types and segments that a rule names, with their places. at: where the rule stands in its document."""
    found = []
    for place, node in walk(rule):
        if isinstance(node, nodes.Attribute):
            found.append(Ref(ATTRIBUTE.name, node.attribute.partition(".")[0], pointer((*place, "attribute"), at)))
        elif isinstance(node, nodes.Record):
            found.append(Ref(RECORD_TYPE.name, node.record, pointer((*place, "record"), at)))
        elif isinstance(node, nodes.Segment):
            found.append(Ref(SEGMENT, node.segment, pointer((*place, "segment"), at)))
    return found


def rule_findings(context: CheckContext, rule: DocumentModel, at: str = "") -> list[Finding]:
    """What is wrong with a rule against the catalogue and the other segments, as drafted.

    What doesn't exist at all is governance's to say (it checks references); here is said what it was perhaps meant to be.
    """
    scope = Scope(
        _drafted_types(context, rule),
        lambda key: _drafted_rule(context, key),
        _ANY_MOMENT,
        event={},
        lists=partial(list_numbers, context.workspace_id),
        records=partial(_drafted_shapes, context),
    )
    key = context.key if at == "/rule" else ""
    _, findings = try_bind(rule, scope, at=at, key=key)
    findings = [*findings, *_deprecated(context, rule, at), *_let_go(context, rule, at), *_of_no_campaign(context, rule, at)]
    absent = {ref.path for ref in rule_references(rule, at) if context.draft(ref.kind, ref.key) is None}
    return [finding for finding in findings if finding.path not in absent or "perhaps" in finding.expected]


def _deprecated(context: CheckContext, rule: DocumentModel, at: str) -> list[Finding]:
    """What is asked of attributes and records that no new rule should ask for. The answer is right all the same."""
    found = []
    for ref in rule_references(rule, at):
        body = context.draft(ref.kind, ref.key) if ref.kind in (ATTRIBUTE.name, RECORD_TYPE.name) else None
        if body is not None and body.deprecated:
            found.append(Finding("warning", ref.path, f"{ref.key}, which is deprecated", body.deprecated))
    for place, node in walk(rule):
        if isinstance(node, nodes.Record) and (type_ := context.draft(RECORD_TYPE.name, node.record)) is not None:
            for number, test in enumerate(node.where):
                asked = type_.field(test.field)
                if asked is not None and asked.deprecated:
                    where = pointer((*place, "where", number, "field"), at)
                    found.append(Finding("warning", where, f"{test.field}, which is deprecated", asked.deprecated))
    return found


def _let_go(context: CheckContext, rule: DocumentModel, at: str) -> list[Finding]:
    """Events that the rule looks further back for than they are kept: it finds less than happened."""
    kept = kept_days(context.workspace_id)
    found = []
    for place, node in walk(rule) if kept else ():
        if isinstance(node, nodes.Event | nodes.Measure):
            asked = [(node.event if isinstance(node, nodes.Event) else node.measure, (*place, "within"))]
        elif isinstance(node, nodes.Sequence):
            asked = [(step.event, (*place, "within")) for step in node.sequence]
        else:
            continue
        for name, where in asked:
            days = kept.get(name)
            back = None if node.within is None else (_ANY_MOMENT - shift(_ANY_MOMENT, -node.within.last, node.within.unit)).days
            if days is not None and (back is None or back > days):
                looked = "all time" if back is None else f"{back:,} days"
                found.append(Finding("warning", pointer(where, at), looked, f"at most {days:,} days: older events “{name}” are let go"))
    return found


def _of_no_campaign(context: CheckContext, rule: DocumentModel, at: str) -> list[Finding]:
    """Conditions on the messages of a campaign or a message type that there isn't: “never” would be true of everybody."""
    asked = [(node.campaign, place) for place, node in walk(rule) if isinstance(node, nodes.Message) and node.campaign is not None]
    known = {view.key for kind in ("campaign", "template") for view in documents(context.workspace_id, kind)} if asked else set()
    found = []
    for name, place in asked:
        if name.casefold() not in known:
            near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)
            expected = "the key of a campaign or of a message type" + (f", perhaps {' or '.join(near)}" if near else "")
            found.append(Finding("error", pointer((*place, "campaign"), at), shorten(name), expected))
    return found


def _drafted_shapes(context: CheckContext) -> dict[str, RecordShape]:
    """The types of records, with the latest drafts in place of what is released."""
    known = record_types(context.workspace_id)
    return {key: (context.draft(RECORD_TYPE.name, key) or body).shape for key, body in known.items()}


def _drafted_types(context: CheckContext, rule: DocumentModel) -> Mapping[str, Type]:
    """The catalogue, with the latest drafts in place of what is released."""
    known = catalogue(context.workspace_id)
    return types_of({name: context.draft(ATTRIBUTE.name, name) or body for name, body in known.items()})


def _drafted_rule(context: CheckContext, key: str) -> DocumentModel | None:
    draft = context.draft(SEGMENT, key)
    return draft.rule if draft is not None else None


def segment_kind(reach: Callable[[int, SegmentBody, datetime], int | None]) -> Kind[SegmentBody]:
    """The kind as governance knows it. reach: counts the people of a body."""
    return Kind(
        name=SEGMENT,
        plural="segments",
        title="Segment",
        schema=SegmentBody,
        references=lambda body: rule_references(body.rule, "/rule"),
        checks=lambda context, body: rule_findings(context, body.rule, "/rule"),
        reach=reach,
    )
