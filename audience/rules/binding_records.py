"""Conditions on related records: from how they are written to how they are asked."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from audience.rules import nodes
from audience.rules.binding_events import bounds
from audience.rules.bound import Bound, FieldTest, Related, Type
from audience.rules.fields import fold_text
from audience.rules.operations import WrongOperand, check_for
from audience.rules.shapes import RecordShape
from audience.rules.zones import own_days
from governance.door import pointer


@dataclass(frozen=True, slots=True)
class RecordBinder:
    """Binds them as of a moment. known: the types of records; fault(where, found, expected): notes what is wrong inside a condition."""

    as_of: datetime
    known: Mapping[str, RecordShape]
    fault: Callable[[str, str, str], None]

    def related(self, node: nodes.Record, at: str) -> Bound:
        """How many records of a type somebody has to do with. Raises WrongOperand for a type or a role that isn't there."""
        shape = self.known.get(node.record)
        if shape is None:
            raise WrongOperand("/record", node.record, "the key of a record type" + _perhaps(node.record, self.known))
        if node.role is not None and node.role not in shape.roles:
            expected = f"one of {', '.join(shape.roles)}" if shape.roles else f"none: {node.record} has no roles"
            raise WrongOperand("/role", node.role, expected)
        low, high, negated = bounds(node.op, 1 if node.count is None else node.count)
        where = []
        for place, test in enumerate(node.where):
            here = pointer(("where", place), at)
            try:
                where.append(self.field(test, shape))
            except WrongOperand as wrong:
                self.fault(here + wrong.where, wrong.found, wrong.expected)
        return Related(node.record, node.role or "", low, high, tuple(where), negated, at)

    def field(self, node: nodes.RecordField, shape: RecordShape) -> FieldTest:
        """A condition on one field."""
        type_: Type | None = shape.fields.get(node.field)
        if type_ is None:
            raise WrongOperand("/field", node.field, "a field of this type" + _perhaps(node.field, shape.fields))
        if node.zone is not None:
            cases, elsewhere = own_days(type_, node.op, node.value, as_of=self.as_of, fold=fold_text)
            return FieldTest(node.field, type_, elsewhere, cases=cases)
        check, negated = check_for(type_, node.op, node.value, as_of=self.as_of, fold=fold_text)
        return FieldTest(node.field, type_, check, negated)


def _perhaps(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.5)
    return f", perhaps {' or '.join(near)}" if near else ""
