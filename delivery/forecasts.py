"""What would become of one person's message, were a campaign launched now: the plan's reasons first, then those of the last look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from audience import door as audience
from audience.door import Person
from delivery import policies
from delivery.addresses import address_hash, address_of
from delivery.eligibility import Candidate, judge
from delivery.leases import facts_of
from delivery.permission import because
from delivery.planning import row_of, survey
from delivery.policies import OUTBOX
from delivery.states import Reason
from delivery.work import DispatchPlan


@dataclass(frozen=True, slots=True)
class Forecast:
    """reason: why they would get nothing, "" where they would; until: when it would go, where that is not at once; because: more about
    the reason, in words."""

    reason: str = ""
    until: datetime | None = None
    because: str = ""


def forecast(plan: DispatchPlan, person: Person, *, renders: bool, now: datetime) -> Forecast:
    """Asked of one person; writes nothing. plan.ids: the person, and whoever of the audience has the same address; renders: whether
    their message can be made. Raises Missing where the route or the policy isn't released.
    """
    for reason, people in survey(plan, now=now).left_out.items():
        if person.id in people:
            return Forecast(reason, because=_because(plan, person, reason, now))
    routes = policies.routes(plan.workspace_id, plan.route_key, plan.channel)
    if plan.channel == "push":
        audience.give_devices(plan.workspace_id, [person])
    address = address_of(plan.channel, person)
    candidate = Candidate(
        n=0,
        profile_id=person.id,
        person=person,
        address=address,
        address_hash=address_hash(plan.workspace_id, plan.channel, address),
        message=None,
        program=None,
        fault=Reason.NONE if renders else Reason.INVALID,
    )
    policy = policies.policy(plan.workspace_id, plan.policy_key)
    facts = facts_of(row_of(plan, routes, now))
    verdicts = judge(facts, [candidate], policy, local=routes[0].adapter.key == OUTBOX, recalled=False, now=now)
    if verdicts.skipped:
        reason = Reason(verdicts.skipped[0][1]).label
        return Forecast(reason, because=_because(plan, person, reason, now))
    return Forecast(until=verdicts.postponed[0][1]) if verdicts.postponed else Forecast()


def _because(plan: DispatchPlan, person: Person, reason: str, now: datetime) -> str:
    if reason != Reason.NO_CONSENT.label:
        return ""
    about = {"channel": plan.channel, "topic": plan.topic, "message_class": plan.message_class}
    return because(plan.workspace_id, person.id, **about, at=now)
