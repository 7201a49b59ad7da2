"""What of delivery's own stands in the way of a plan: its route, its policy, a kill switch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from delivery import policies
from delivery.domains import rules
from delivery.domains.identity import PlannedMail
from delivery.models import Switch
from delivery.switches import thrown
from delivery.work import DispatchPlan
from governance.door import DoorError, Finding


def bulk_faults(workspace_id: int, mails: Sequence[PlannedMail], route_key: str, *, now: datetime) -> list[Finding]:
    """What forbids sending these templates' promotional mail, of what a launch would ask. Raises Missing without a released route."""
    routes = policies.routes(workspace_id, route_key, "email")
    return [finding for finding in rules.objections(workspace_id, mails, routes, now=now) if finding.level == "error"]


def objections(plan: DispatchPlan, *, by_hand: bool) -> Iterator[Finding]:
    """Why this plan could not be launched now. Route and policy are approved by themselves: they are no campaign's part.

    A kill switch is an objection to people only. What a schedule launches meanwhile is held and goes when the switch is lifted,
    unless it is too late then: refused, it would be lost.
    """
    vendors = [""]
    try:
        routes = policies.routes(plan.workspace_id, plan.route_key, plan.channel)
        vendors = [route.adapter.key for route in routes]
        if plan.message_class == "promotional" and plan.due_at is not None:
            yield from rules.objections(plan.workspace_id, plan.mails, routes, now=plan.due_at)
    except DoorError as error:
        yield Finding("error", "/route", error.reason, "a vendor route that is approved and released, with its secrets in place")
    try:
        policies.policy(plan.workspace_id, plan.policy_key)
    except DoorError as error:
        yield Finding("error", "/policy", error.reason, "a sending policy that is approved and released by itself")
    if not by_hand:
        return
    each = [set(thrown(plan.workspace_id, plan.campaign_key, vendor)) for vendor in vendors]
    if not all(each):
        return  # another vendor carries it
    for switch in sorted(set[Switch]().union(*each), key=lambda switch: switch.pk):
        what = f"the {switch.scope} {switch.key}" if switch.key else "the whole workspace"
        yield Finding("error", "", f"a kill switch for {what}: {switch.reason}", "it to be lifted first")
