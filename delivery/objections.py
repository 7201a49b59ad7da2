"""What of delivery's own stands in the way of a plan: its route, its policy, a kill switch."""

from __future__ import annotations

from collections.abc import Iterator

from delivery import policies
from delivery.models import Switch
from delivery.switches import thrown
from delivery.work import DispatchPlan
from governance.door import DoorError, Finding


def objections(plan: DispatchPlan, *, by_hand: bool) -> Iterator[Finding]:
    """Why this plan could not be launched now. Route and policy are approved by themselves: they are no campaign's part.

    A kill switch is an objection to people only. What a schedule launches meanwhile is held and goes when the switch is lifted,
    unless it is too late then: refused, it would be lost.
    """
    vendors = [""]
    try:
        vendors = [route.adapter.key for route in policies.routes(plan.workspace_id, plan.route_key, plan.channel)]
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
