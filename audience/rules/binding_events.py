"""Conditions on what happened: from how they are written to how they are asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from audience.rules import nodes
from audience.rules.bound import Bound, Counted, Measured, OneOf, Present, PropertyTest, Range, Sequenced, Step
from audience.rules.fields import fold_text
from audience.rules.moments import shift
from audience.rules.operations import WrongOperand, check_for, type_of_value
from audience.rules.values import Window
from audience.sources import EventSource, source_of
from governance.door import pointer


@dataclass(frozen=True, slots=True)
class EventBinder:
    """Binds them as of a moment. fault(where, found, expected): notes what is wrong inside a condition."""

    as_of: datetime
    fault: Callable[[str, str, str], None]

    def event(self, node: nodes.Event, at: str) -> Bound:
        """How often something happened."""
        return self._counted(node.event, node, self.where(node.event, node.where, at), at)

    def message(self, node: nodes.Message, at: str) -> Bound:
        """How often one of our messages was sent, opened, …"""
        asked = {"campaign": node.campaign, "channel": node.channel}
        where = tuple(PropertyTest(name, "text", OneOf((fold_text(one),))) for name, one in asked.items() if one is not None)
        return self._counted(f"message.{node.message}", node, where, at)

    def _counted(self, name: str, node: nodes.Event | nodes.Message, where: tuple[PropertyTest, ...], at: str) -> Bound:
        low, high, negated = bounds(node.op, 1 if node.count is None else node.count)
        return Counted(name, low, high, self.since(node.within), self.as_of, where, negated, at)

    def measure(self, node: nodes.Measure, at: str) -> Bound:
        """What events come to."""
        if node.of is not None and source_of(node.measure) is not None:
            raise WrongOperand("/of", node.of, f"none: “{node.measure}” has no numbers in rules")
        where = self.where(node.measure, node.where, at)
        check, _ = check_for("number" if node.of is not None else "datetime", node.op, node.value, as_of=self.as_of, fold=fold_text)
        assert isinstance(check, Range)
        return Measured(node.measure, node.how, node.of or "", check, self.since(node.within), self.as_of, where, at)

    def sequence(self, node: nodes.Sequence, at: str) -> Bound:
        """Events one after the other."""
        steps = tuple(
            Step(step.event, self.where(step.event, step.where, pointer(("sequence", place), at)))
            for place, step in enumerate(node.sequence)
        )
        return Sequenced(steps, node.apart.length, node.op == "followed", self.since(node.within), self.as_of, at)

    def since(self, within: Window | None) -> datetime | None:
        """From when on events count; None: ever."""
        return shift(self.as_of, -within.last, within.unit) if within else None

    def where(self, name: str, tests: Sequence[nodes.Property], at: str) -> tuple[PropertyTest, ...]:
        """Which of the events of that name are meant."""
        bound, source = [], source_of(name)
        for place, node in enumerate(tests):
            here = pointer(("where", place), at)
            test = self.property(node, here)
            if source is None or _knows(source, test):
                bound.append(test)
            else:
                of = " or ".join(sorted(source.properties)) or "no property"
                self.fault(here, f"{node.property} {node.op}", f"“is” or “in” of {of}: all that rules may ask of “{name}”")
        return tuple(bound)

    def property(self, node: nodes.Property, at: str) -> PropertyTest:
        """A condition on one property; a faulty one asks for something harmless, and its fault is noted."""
        type_ = type_of_value(node.op, node.value)
        if type_ is None:
            self.fault(at + "/value", "values of different types", "only texts or only numbers")
            return PropertyTest(node.property, "any", Present())
        try:
            check, negated = check_for(type_, node.op, node.value, as_of=self.as_of, fold=fold_text)
        except WrongOperand as wrong:
            self.fault(at + wrong.where, wrong.found, wrong.expected)
            return PropertyTest(node.property, "any", Present())
        return PropertyTest(node.property, type_, check, negated)


def _knows(source: EventSource, test: PropertyTest) -> bool:
    return test.name in source.properties and test.type == "text" and isinstance(test.check, OneOf) and not test.negated


def bounds(op: str, count: int) -> tuple[int, int | None, bool]:
    """(low, high, negated) with low ≥ 1: what no event at all satisfies is asked the other way round."""
    if op == "at_least":
        return count, None, False
    if op == "exactly" and count > 0:
        return count, count, False
    return (count + 1 if op == "at_most" else 1), None, True
