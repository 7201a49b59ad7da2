"""From the rule as written to the rule as asked: every name looked up, every fault found with its place."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from audience.rules import nodes
from audience.rules.binding_events import EventBinder
from audience.rules.binding_records import RecordBinder
from audience.rules.bound import (
    Addressed,
    Bound,
    Consented,
    Constant,
    Fresh,
    Group,
    Listed,
    Member,
    Share,
    Tested,
    Type,
    Zoned,
)
from audience.rules.fields import FIELD_OPERATORS, field_fold, field_type, fold_text
from audience.rules.operations import WrongOperand, check_for
from audience.rules.shapes import RecordShape
from audience.rules.testing import passes
from audience.rules.zones import own_days
from governance.door import DocumentModel, Finding, Invalid, pointer, shorten

MAX_SEGMENT_DEPTH = 10  # segments that refer to segments
MAX_TOTAL = 5_000  # conditions of a rule and of all segments it uses
Lookup = Callable[[str], DocumentModel | None]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a rule is bound against.

    types: the catalogue's attributes; segment: the rule of a segment by its key, None where there is none;
    as_of: the moment of asking; event: the properties of the triggering event, None where none is at hand; lists: the number of
    each uploaded list by its key, asked only by a rule that names one; records: the types of records by their keys, likewise.
    """

    types: Mapping[str, Type]
    segment: Lookup
    as_of: datetime
    event: Mapping[str, Any] | None = None
    lists: Callable[[], Mapping[str, int]] = dict
    records: Callable[[], Mapping[str, RecordShape]] = dict


def bind(rule: DocumentModel, scope: Scope, *, at: str = "", key: str = "") -> Bound:
    """The rule as engines read it. at: where the rule stands in its document; key: the segment it is the rule of, if any.

    Raises Invalid with every fault.
    """
    bound, findings = try_bind(rule, scope, at=at, key=key)
    if findings or bound is None:
        raise Invalid(findings)
    return bound


def try_bind(rule: DocumentModel, scope: Scope, *, at: str = "", key: str = "") -> tuple[Bound | None, list[Finding]]:
    """The rule as engines read it, or None and every fault in it."""
    binder = _Binder(scope, trail=[key] if key else [])
    bound = binder.node(rule, at)
    if not binder.findings and binder.size(bound) > MAX_TOTAL:
        binder.fault(at, f"{binder.size(bound):,} conditions with those of the segments it refers to", f"at most {MAX_TOTAL:,}")
    return (None if binder.findings else bound), binder.findings


@dataclass(slots=True)
class _Binder:
    scope: Scope
    trail: list[str]  # the segments we are inside of, outermost first
    findings: list[Finding] = field(default_factory=list)
    members: dict[str, Bound] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)

    @property
    def happened(self) -> EventBinder:
        return EventBinder(self.scope.as_of, self.fault)

    def fault(self, where: str, found: str, expected: str) -> None:
        self.findings.append(Finding("error", where, shorten(found), expected))

    def node(self, node: DocumentModel, at: str) -> Bound:
        """Bind one node; a faulty one becomes nobody, and its fault is noted."""
        word, children = nodes.children_of(node)
        if word:
            bound = tuple(self.node(child, pointer((word, place), at)) for place, child in enumerate(children))
            return Group(word, bound, at)  # type: ignore[arg-type]  # children_of answers the three words of Group
        try:
            return _LEAVES[type(node)](self, node, at)
        except WrongOperand as wrong:
            self.fault(at + wrong.where, wrong.found, wrong.expected)
            return Constant(False, at)

    def attribute(self, node: nodes.Attribute, at: str) -> Bound:
        type_ = self.scope.types.get(node.attribute)
        if type_ is None:
            raise WrongOperand("/attribute", node.attribute, _one_of_the_catalogue(node.attribute, self.scope.types))
        found = self.tested("attribute", node.attribute, type_, node, fold_text, at)
        if node.fresh is None:
            return found
        made = f"{node.attribute}.at"
        if self.scope.types.get(made) != "datetime" or type_ != "number" or not isinstance(found, Tested):
            raise WrongOperand("/fresh", "a freshness", "none: only a score has a moment at which it was made")
        recent, _ = check_for("datetime", "in_last", node.fresh, as_of=self.scope.as_of, fold=fold_text)
        return Fresh(replace(found, negated=False), Tested("attribute", made, "datetime", recent), at, found.negated)

    def profile(self, node: nodes.Profile, at: str) -> Bound:
        allowed = FIELD_OPERATORS[node.profile]
        if node.op not in allowed:
            raise WrongOperand("/op", node.op, f"one of {', '.join(allowed)}: the operators of {node.profile}")
        return self.tested("profile", node.profile, field_type(node.profile), node, field_fold(node.profile, node.op), at)

    def tested(
        self,
        source: Literal["attribute", "profile"],
        name: str,
        type_: Type,
        node: nodes.Attribute | nodes.Profile,
        fold: Callable[[str], str],
        at: str,
    ) -> Bound:
        if node.zone is not None:
            cases, elsewhere = own_days(type_, node.op, node.value, as_of=self.scope.as_of, fold=fold)
            return Zoned(source, name, type_, cases, elsewhere, at)
        check, negated = check_for(type_, node.op, node.value, as_of=self.scope.as_of, fold=fold)
        return Tested(source, name, type_, check, negated, at)

    def trigger(self, node: nodes.Trigger, at: str) -> Bound:
        test = self.happened.property(node.trigger, at + "/trigger")
        if self.scope.event is None:
            raise WrongOperand("/trigger", "a condition on the triggering event", "one only where an event triggers")
        return Constant(passes(test, self.scope.event.get(test.name)), at)

    def listed(self, node: nodes.OnList, at: str) -> Bound:
        known = self.scope.lists()
        number = known.get(node.list)
        if number is None:
            near = difflib.get_close_matches(node.list, sorted(known), n=3, cutoff=0.5)
            perhaps = f", perhaps {' or '.join(near)}" if near else ""
            raise WrongOperand("/list", node.list, f"the key of an uploaded list{perhaps}")
        return Listed(number, at)

    def segment(self, node: nodes.Segment, at: str) -> Bound:
        key, where = node.segment, at + "/segment"
        if key in self.trail:
            loop = " → ".join([*self.trail[self.trail.index(key) :], key])
            self.fault(where, f"segments form a loop: {loop}", "segments that do not lead back to themselves")
        elif len(self.trail) > MAX_SEGMENT_DEPTH:
            self.fault(where, f"segments within segments, more than {MAX_SEGMENT_DEPTH} deep", f"at most {MAX_SEGMENT_DEPTH}")
        elif key not in self.members:
            self.members[key] = self._member(key, where)
        return Member(key, self.members.get(key, Constant(False, at)), at)

    def _member(self, key: str, where: str) -> Bound:
        """The rule of another segment. Its faults are told once, at the place that refers to it."""
        rule = self.scope.segment(key)
        if rule is None:
            self.fault(where, key, "the key of a segment")
            return Constant(False, where)
        before = len(self.findings)
        self.trail.append(key)
        bound = self.node(rule, "/rule")
        self.trail.pop()
        self.findings[before:] = [_within(key, where, finding) for finding in self.findings[before:]]
        return bound

    def size(self, bound: Bound) -> int:
        """How many conditions an engine would see, those of a segment counted each time it is used."""
        if id(bound) not in self.sizes:
            match bound:
                case Group(children=children):
                    total = sum(self.size(child) for child in children)
                case Member(rule=rule):
                    total = self.size(rule)
                case _:
                    total = 1
            self.sizes[id(bound)] = total
        return self.sizes[id(bound)]


def _within(key: str, where: str, finding: Finding) -> Finding:
    """A fault inside another segment, told where that segment is named; a loop's words are told as they are."""
    if finding.found.startswith("segments "):
        return Finding(finding.level, where, finding.found, finding.expected)
    found = f"segment {key}, which is faulty at {finding.path}: {finding.found}"
    return Finding(finding.level, where, shorten(found), f"there {finding.expected}")


def _one_of_the_catalogue(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)
    return "an attribute of the catalogue" + (f", perhaps {' or '.join(near)}" if near else "")


_LEAVES: dict[type[DocumentModel], Callable[[_Binder, Any, str], Bound]] = {
    nodes.Attribute: _Binder.attribute,
    nodes.Profile: _Binder.profile,
    nodes.Event: lambda binder, node, at: binder.happened.event(node, at),
    nodes.Message: lambda binder, node, at: binder.happened.message(node, at),
    nodes.Measure: lambda binder, node, at: binder.happened.measure(node, at),
    nodes.Record: lambda binder, node, at: RecordBinder(binder.scope.as_of, binder.scope.records(), binder.fault).related(node, at),
    nodes.Sequence: lambda binder, node, at: binder.happened.sequence(node, at),
    nodes.Share: lambda binder, node, at: Share(node.share.salt, round(node.share.percent * 10_000), at),
    nodes.Segment: _Binder.segment,
    nodes.OnList: _Binder.listed,
    nodes.Trigger: _Binder.trigger,
    nodes.Consent: lambda binder, node, at: Consented(
        node.consent.channel, node.consent.topic, binder.scope.as_of, node.consent.state == "pending", at
    ),
    nodes.Reachable: lambda binder, node, at: Addressed(node.reachable, at),
    nodes.Everyone: lambda binder, node, at: Constant(True, at),
}
