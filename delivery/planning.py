"""Freeze a launch: who goes in which order, numbered once. Nothing is sent before the caller's transaction has committed.

Law: the plan is a function of what is given. Planning the same (campaign, occurrence, relaunch) again adds no row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import numpy as np
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from pyroaring import BitMap64

from audience import door as audience
from delivery import cuts, policies
from delivery.models import Dispatch, LeftOut, Message, Slice
from delivery.states import DispatchState, Lane, MessageState, Reason, reason_of
from delivery.suppression import suppressed_people
from delivery.waves import waves_of
from delivery.work import DispatchPlan, Surveyed
from governance.door import Finding, Invalid

MAX_BATCH = 10_000


def plan(plan: DispatchPlan, *, now: datetime) -> int:
    """Make the dispatch with its slices and batches in the caller's transaction; answers its id, or that of the same launch.

    Leaves out, beyond `plan.left_out`: people whom an earlier dispatch of the same occurrence has reached or still will (unless
    `reentry`), people whose address a lower id of the same plan has, and people without an address, without consent or on the
    suppression list now (or when `plan.surveyed` was made). The last look asks again: consent may be withdrawn in between, and one
    that is given later counts from the next launch. Raises Invalid for an impossible plan and Missing where the route or the policy
    isn't released.
    """
    _check(plan)
    with transaction.atomic():
        dispatch, made = _dispatch(plan, now)
        if made:
            _fill(dispatch, plan, now)
    return dispatch.id


def _check(plan: DispatchPlan) -> None:
    shares = list(plan.ramp)
    faults = []
    if not 1 <= plan.batch_size <= MAX_BATCH:
        faults.append(Finding("error", "/batch_size", str(plan.batch_size), f"1 to {MAX_BATCH}"))
    if any(not 0 < share <= 1 for share in shares) or shares != sorted(set(shares)):
        faults.append(Finding("error", "/ramp", str(shares), "ascending shares between 0 and 1, such as 0.01, 0.1, 1"))
    if plan.expires_at is not None and plan.due_at is not None and plan.expires_at <= plan.due_at:
        faults.append(Finding("error", "/expires_at", plan.expires_at.isoformat(), "a moment after the launch is due"))
    if plan.budget_micros is not None and plan.budget_micros < 0:
        faults.append(Finding("error", "/budget_micros", str(plan.budget_micros), "0 or more"))
    if faults:
        raise Invalid(faults)


def _dispatch(plan: DispatchPlan, now: datetime) -> tuple[Dispatch, bool]:
    """The row of this launch and whether it is new. Two planners at once: the unique key lets one of them make it."""
    same = Dispatch.objects.filter(
        workspace_id=plan.workspace_id, kind="campaign", key=plan.campaign_key, occurrence=plan.occurrence, relaunch=plan.relaunch
    )
    if found := same.first():
        return found, False
    try:
        with transaction.atomic():
            return _insert(plan, now), True
    except IntegrityError:
        return same.get(), False


def _insert(plan: DispatchPlan, now: datetime) -> Dispatch:
    policies.policy(plan.workspace_id, plan.policy_key)
    dispatch = row_of(plan, policies.routes(plan.workspace_id, plan.route_key, plan.channel), now)
    dispatch.save(force_insert=True)
    return dispatch


def row_of(plan: DispatchPlan, routes: Sequence[policies.Route], now: datetime) -> Dispatch:
    """The row of a plan, unsaved."""
    vendor, account = policies.carriers(routes)
    return Dispatch(
        workspace_id=plan.workspace_id,
        kind="campaign",
        key=plan.campaign_key,
        occurrence=plan.occurrence,
        relaunch=plan.relaunch,
        lane=Lane[plan.lane.upper()],
        channel=plan.channel,
        message_class=plan.message_class,
        topic=plan.topic,
        campaign_revision_id=plan.campaign_revision_id,
        template_revision_id=plan.template_revision_id,
        pins=sorted({*plan.pins, *filter(None, (plan.campaign_revision_id, plan.template_revision_id))}),
        bill_hash=plan.bill_hash,
        route_key=plan.route_key,
        policy_key=plan.policy_key,
        vendor=vendor,
        account=account,
        experiment=plan.experiment,
        recheck_rule=plan.recheck_rule,
        reentry=plan.reentry,
        shadow=plan.shadow,
        ramp=list(plan.ramp),
        soak_minutes=plan.soak_minutes,
        planned_at=now,
        due_at=plan.due_at or now,
        expires_at=plan.expires_at,
        estimated_micros=plan.estimated_micros,
        budget_micros=plan.budget_micros,
        currency=plan.currency or routes[0].currency,
    )


def _fill(dispatch: Dispatch, plan: DispatchPlan, now: datetime) -> None:
    """Waves, slices, batches and the bitmaps of those left out."""
    left_out = _left_out(plan, _reached(plan, but=dispatch.pk), now)
    ids = plan.ids.copy()
    for people in left_out.values():
        ids -= people
    LeftOut.objects.bulk_create(
        LeftOut(dispatch=dispatch, workspace_id=dispatch.workspace_id, reason=reason, count=len(people), ids=people.serialize())
        for reason, people in left_out.items()
        if people
    )
    slices = cuts.slices(dispatch, waves_of(ids, plan.ramp, f"{plan.campaign_key}\x00{plan.occurrence}"))
    cuts.batches(dispatch, slices, plan.batch_size)
    dispatch.planned = len(ids)
    dispatch.considered = len(ids) + sum(len(people) for people in left_out.values())
    if not ids:
        dispatch.state, dispatch.finished_at = DispatchState.DONE, now
    dispatch.save(update_fields=["planned", "considered", "state", "finished_at"])


def survey(plan: DispatchPlan, *, now: datetime) -> Surveyed:
    """Who would get nothing and why, were this planned now. Writes nothing."""
    reached = _reached(plan, but=0)
    return Surveyed(reached, {Reason(reason).name.lower(): people for reason, people in _left_out(plan, reached, now).items() if people})


def planned(workspace_id: int, dispatch_id: int) -> BitMap64:
    """Everybody whom a dispatch was to reach when it was planned."""
    people = BitMap64()
    for raw in Slice.objects.filter(workspace_id=workspace_id, dispatch_id=dispatch_id).values_list("ids", flat=True):
        people |= BitMap64.deserialize(bytes(raw))
    return people


def unfinished(workspace_id: int, dispatch_ids: Sequence[int]) -> list[int]:
    """Those of these dispatches that still send, or wait to."""
    ended = (DispatchState.DONE, DispatchState.STOPPED)
    return list(
        Dispatch.objects.filter(workspace_id=workspace_id, pk__in=dispatch_ids).exclude(state__in=ended).values_list("id", flat=True)
    )


def _left_out(plan: DispatchPlan, reached: BitMap64, now: datetime) -> dict[Reason, BitMap64]:
    """Who gets nothing and why, disjoint; the first reason that applies stays. Where the plan brings what was seen of the same people
    moments ago, and nobody more was reached since, that stands: a wish of a moment is seen by the last look, as one after it is."""
    if plan.surveyed is not None and plan.surveyed.reached == reached:
        return {reason_of(word): people for word, people in plan.surveyed.left_out.items()}
    taken, left_out = BitMap64(), dict[Reason, BitMap64]()

    def leave(reason: Reason, people: BitMap64) -> None:
        left_out[reason] = left_out.get(reason, BitMap64()) | (people - taken)
        taken.update(people)

    for word, people in plan.left_out.items():
        leave(reason_of(word), people)
    leave(Reason.REACHED, reached & plan.ids)
    # An address counts once, whoever has it: nobody stands in for somebody who was reached, or is held out.
    first = reached | taken
    leave(Reason.DUPLICATE, audience.same_address(plan.workspace_id, plan.ids - taken, channel=plan.channel, before=first))
    leave(Reason.UNREACHABLE, audience.unreachable(plan.workspace_id, plan.ids - taken, channel=plan.channel))
    # After the duplicates: whoever shares an address with somebody who said no gets nothing in their place.
    topic, message_class = plan.topic, plan.message_class
    leave(
        Reason.NO_CONSENT,
        audience.unwilling(plan.workspace_id, plan.ids - taken, channel=plan.channel, topic=topic, message_class=message_class, now=now),
    )
    stopped = suppressed_people(plan.workspace_id, plan.channel, plan.ids - taken, message_class=message_class)
    leave(Reason.SUPPRESSED, stopped)
    return left_out


def _reached(plan: DispatchPlan, *, but: int) -> BitMap64:
    """Whom earlier dispatches of the same occurrence have reached, may have reached, or still will; nobody where that doesn't count."""
    people = BitMap64()
    if plan.reentry:
        return people
    same = Dispatch.objects.filter(
        workspace_id=plan.workspace_id, kind="campaign", key=plan.campaign_key, occurrence=plan.occurrence, shadow=False
    ).exclude(pk=but)
    earlier_ones = list(same.only("id", "state", "archived_at", "planned_at"))
    merged = audience.merged_since(plan.workspace_id, min((each.planned_at for each in earlier_ones), default=None))
    for earlier in earlier_ones:
        if earlier.archived_at is not None:  # whom it didn't reach in the end is no longer known here
            people |= _as_they_are(planned(plan.workspace_id, earlier.id), merged)
            continue
        rows = Message.objects.filter(dispatch_id=earlier.id, workspace_id=plan.workspace_id)
        if earlier.state == DispatchState.STOPPED:
            people |= _profiles(rows.filter(state__lt=MessageState.FAILED).values_list("profile_id", flat=True).iterator(10_000))
            continue
        everybody = planned(plan.workspace_id, earlier.id)
        people |= _as_they_are(everybody, merged) - _missed(rows.filter(state__gte=MessageState.FAILED), everybody, merged)
    return people


def _missed(ended: QuerySet[Message], planned: BitMap64, merged: Mapping[int, int]) -> BitMap64:
    """Who got nothing, of those whose messages ended so: of somebody who was planned as several people, only where all of them did."""
    people = _profiles(ended.values_list("profile_id", flat=True).iterator(10_000))
    several = people & BitMap64(merged.values())
    if several:
        numbers = BitMap64(each for each, stays in merged.items() if stays in several) | several
        places = Counter(merged.get(int(each), int(each)) for each in planned & numbers)
        found = ended.filter(profile_id__in=list(map(int, numbers))).values_list("profile_id", flat=True)
        places.subtract(merged.get(each, each) for each in found)
        people -= BitMap64(each for each, open_ in places.items() if open_ > 0)
    return people


def _as_they_are(people: BitMap64, merged: Mapping[int, int]) -> BitMap64:
    """With whom those of them have become one who were merged since: the ledger tells of them under that number."""
    return BitMap64(merged.get(int(each), int(each)) for each in people) if people & BitMap64(merged) else people


def _profiles(ids: Iterator[int]) -> BitMap64:
    return BitMap64(np.fromiter(ids, dtype=np.uint64))
