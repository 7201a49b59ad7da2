"""What PostgreSQL knows of people in columns of their own: rules read them without reading people's rows (audience/facts_keeper.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q

from audience import sql
from audience.backends.facts_sql import COLUMNS, Known, answers
from audience.models import FactColumn
from audience.rules.bound import Addressed, Bound, Fresh, Leaf, Tested, Zoned, leaves

_ALWAYS = {"country": "country", "locale": "locale"}
_ADDRESSES = {"email": "has_email", "sms": "has_phone"}


@dataclass(frozen=True, slots=True)
class Facts:
    """The columns that hold an attribute for everybody. rows: which of them, by numbers that no other assignment ever gets."""

    columns: Mapping[tuple[str, str], str]
    rows: frozenset[int]

    def answers(self, leaf: Leaf) -> bool:
        """Whether the condition asks nothing of a person's row but what stands in the columns."""
        match leaf:
            case Tested():
                return self._column(leaf.source, leaf.name, leaf.type) != "" and answers(leaf.type, leaf.check)
            case Fresh():
                return self.answers(leaf.score) and self.answers(leaf.made)
            case Zoned():
                return False
        return True

    def passes(self, leaf: Tested) -> Q:
        """The condition on the column that a check stands for, whether it is negated or not."""
        return Q(Known(self._column(leaf.source, leaf.name, leaf.type), leaf.type, leaf.check))

    def addressed(self, channel: str) -> Q | None:
        """Whether somebody has an address of the channel; None for devices, which are no part of a person's row."""
        return Q(**{_ADDRESSES[channel]: True}) if channel in _ADDRESSES else None

    def stand(self) -> bool:
        """Whether the columns still hold what they did. Asked after the answer: none was given to another attribute meanwhile."""
        return FactColumn.objects.filter(pk__in=self.rows, ready=True).count() == len(self.rows)

    def _column(self, source: str, name: str, type_: str) -> str:
        return self.columns.get((name, type_), "") if source == "attribute" else _ALWAYS.get(name, "")


def facts_for(workspace_id: int, node: Bound) -> Facts | None:
    """The columns by which the whole rule can be asked; None where there are none, or nothing would be gained."""
    asked = list(leaves(node))
    if not sql.on_postgres() or not any(_of_a_row(leaf) for leaf in asked):
        return None
    rows = FactColumn.objects.filter(workspace_id=workspace_id, ready=True).values_list("pk", "name", "type", "place")
    known = list(rows)
    facts = Facts({(name, type_): COLUMNS[place] for _, name, type_, place in known}, frozenset(pk for pk, *_ in known))
    return facts if known and all(facts.answers(leaf) for leaf in asked) else None


def _of_a_row(leaf: Leaf) -> bool:
    return isinstance(leaf, Tested | Fresh) or (isinstance(leaf, Addressed) and leaf.channel in _ADDRESSES)
