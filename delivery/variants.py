"""What became of each variant of a dispatch: grouped queries over its messages and its events, none per person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from delivery import past, sql
from delivery.models import Dispatch
from delivery.states import MessageState


@dataclass(frozen=True, slots=True)
class VariantResult:
    """One variant's messages that were handed over or are on the way, and what their readers did; machines apart."""

    key: str
    people: int
    delivered: int
    opened: int
    clicked: int
    opened_by_machines: int
    clicked_by_machines: int


def by_variant(workspace_id: int, dispatch_id: int) -> list[VariantResult]:
    """The variants in the order of the campaign; none where there is only one."""
    experiment = Dispatch.objects.filter(workspace_id=workspace_id, pk=dispatch_id).values_list("experiment", flat=True).first()
    arms: list[Mapping[str, Any]] = (experiment or {}).get("arms", [])
    if len(arms) < 2:
        return []
    if (ended := past.final(workspace_id, dispatch_id)) is not None:
        return [VariantResult(**result) for result in ended["variants"]]
    people, delivered = Counter[int](), Counter[int]()
    for variant, state, many in sql.rows(_MESSAGES, [dispatch_id, workspace_id]):
        people[variant] += many
        delivered[variant] += many if state == MessageState.DELIVERED else 0
    said = {(variant, kind, bool(machine)): many for variant, kind, machine, many in sql.rows(_EVENTS, [dispatch_id, workspace_id])}
    return [
        VariantResult(
            key=str(arm["key"]),
            people=people[place],
            delivered=delivered[place],
            opened=said.get((place, "opened", False), 0),
            clicked=said.get((place, "clicked", False), 0),
            opened_by_machines=said.get((place, "opened", True), 0),
            clicked_by_machines=said.get((place, "clicked", True), 0),
        )
        for place, arm in enumerate(arms)
    ]


_MESSAGES = f"""SELECT variant, state, COUNT(*) FROM delivery_message
    WHERE dispatch_id = %s AND workspace_id = %s AND state < {MessageState.FAILED:d} GROUP BY variant, state"""
_EVENTS = """SELECT m.variant, e.kind, e.machine, COUNT(DISTINCT e.n) FROM delivery_vendorevent e
    JOIN delivery_message m ON m.dispatch_id = e.dispatch_id AND m.n = e.n
    WHERE e.dispatch_id = %s AND e.workspace_id = %s AND e.kind IN ('opened', 'clicked')
    GROUP BY m.variant, e.kind, e.machine"""
