"""A dispatch as people look at it while it runs: what became of how many, and what it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Min, Q, Sum
from django.utils import timezone

from delivery.budgets import out_of_money
from delivery.counts import Counts, count
from delivery.halts import AsShown
from delivery.models import Attempt, Batch, Decision, Dispatch, LeftOut, Slice, VendorAccount
from delivery.ramps import health
from delivery.states import AttemptState, DispatchState, MessageState, Reason, WorkState
from governance.door import Missing


@dataclass(frozen=True, slots=True)
class WaveView:
    """One step of the ramp. state: closed, sending, sent or stopped; due_at: of what waits longest."""

    number: int
    people: int
    state: str
    batches: int
    batches_done: int
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class DispatchView(AsShown):
    """One dispatch now. Money is in micros of `currency`.

    counts: one number per word, states and reasons together, zero ones left out ("delivered", "sent", "no_consent",
    "holdout"); they add up to `considered` with "waiting". states: ledger rows by effective state; skipped and failed: by
    reason; left_out: people whom the plan left out, by reason. waiting: not yet looked at; settled: had a final look or are
    on the way; in_doubt: unanswered messages. rate: messages a second between the first and the last request of the open
    wave, so that no pause between waves counts. last_posted_at: of the newest request, None once archived. next_wave_at: when
    the next wave opens if nothing speaks against it; None while one is being sent, and after the last. next_wave_waits: what
    it waits for beyond that, "" for nothing. archived_at: when its messages left the ledger; the counts are those of its end.
    priced: requests whose price the vendor has told, expected_of_priced_micros what the price book said of those,
    reported_micros what the vendor did.
    """

    id: int
    workspace_id: int
    kind: str
    key: str
    occurrence: str
    channel: str
    message_class: str
    topic: str
    state: str
    state_reason: str
    shadow: bool
    vendor: str
    route_key: str
    template_revision_id: int | None
    campaign_revision_id: int | None
    planned_at: datetime
    due_at: datetime
    expires_at: datetime | None
    finished_at: datetime | None
    considered: int
    planned: int
    waiting: int
    settled: int
    in_doubt: int
    requests: int
    counts: Mapping[str, int]
    states: Mapping[str, int]
    skipped: Mapping[str, int]
    failed: Mapping[str, int]
    left_out: Mapping[str, int]
    waves: tuple[WaveView, ...]
    waves_open: int
    next_wave_at: datetime | None
    next_wave_waits: str
    cost_micros: int
    priced: int
    expected_of_priced_micros: int
    reported_micros: int
    estimated_micros: int
    budget_micros: int | None
    currency: str
    rate: float
    last_posted_at: datetime | None
    trouble: str
    blocked_until: datetime | None
    archived_at: datetime | None

    @property
    def out_of_money(self) -> bool:
        """Halted by its budget, which nobody has raised since: resuming it would halt it again."""
        return self.shown == "halted" and out_of_money(self.state_reason)


def facts(workspace_id: int, dispatch_id: int) -> DispatchView:
    """The dispatch as it stands. Raises Missing."""
    row = Dispatch.objects.filter(workspace_id=workspace_id, pk=dispatch_id).first()
    if row is None:
        raise Missing("a dispatch of that number")
    counts = count(row.workspace_id, row.pk)
    left_out = dict(LeftOut.objects.filter(dispatch=row).values_list("reason", "count"))
    planned = row.planned if row.kind == "campaign" else counts.rows + _deciding(row)
    waiting = max(planned - counts.rows, 0)
    cancelled = waiting if row.state == DispatchState.STOPPED else 0
    states = {state.label: number for state, number in sorted(counts.states.items())}
    reasons = {reason.label: number for reason, number in sorted(counts.reasons.items())}
    out = {Reason(reason).label: number for reason, number in sorted(left_out.items())}
    account = VendorAccount.objects.filter(workspace_id=row.workspace_id, account=row.account).first()
    requests, waves = requests_of(row), _waves(row)
    next_wave_at = _next_wave_at(row, waves)
    return DispatchView(
        id=row.pk,
        workspace_id=row.workspace_id,
        kind=row.kind,
        key=row.key,
        occurrence=row.occurrence,
        channel=row.channel,
        message_class=row.message_class,
        topic=row.topic,
        state=row.state,
        state_reason=row.state_reason,
        shadow=row.shadow,
        vendor=row.vendor,
        route_key=row.route_key,
        template_revision_id=row.template_revision_id,
        campaign_revision_id=row.campaign_revision_id,
        planned_at=row.planned_at,
        due_at=row.due_at,
        expires_at=row.expires_at,
        finished_at=row.finished_at,
        considered=row.considered if row.kind == "campaign" else planned,
        planned=planned,
        waiting=waiting - cancelled,
        settled=counts.rows + cancelled,
        in_doubt=counts.states[MessageState.IN_DOUBT],
        requests=requests["requests"] or 0,
        counts=_words(states, reasons, out, waiting - cancelled, cancelled),
        states=states,
        skipped={word: number for word, number in reasons.items() if _is_skip(word)},
        failed={word: number for word, number in reasons.items() if not _is_skip(word)},
        left_out=out,
        waves=waves,
        waves_open=row.waves_open,
        next_wave_at=next_wave_at,
        next_wave_waits=_waits(row, counts) if next_wave_at is not None else "",
        cost_micros=requests["cost"] or 0,
        priced=requests.get("priced") or 0,
        expected_of_priced_micros=requests.get("expected_of_priced") or 0,
        reported_micros=requests.get("reported") or 0,
        estimated_micros=row.estimated_micros,
        budget_micros=row.budget_micros,
        currency=row.currency,
        rate=_rate(row),
        last_posted_at=None if row.archived_at else requests["newest"],
        trouble="" if row.archived_at else _trouble(account, requests),
        blocked_until=account.blocked_until if account is not None else None,
        archived_at=row.archived_at,
    )


def in_doubt(workspace_id: int, *, dispatch_id: int | None = None, limit: int = 200) -> list[Attempt]:
    """Unanswered requests, oldest first: a person may resolve each."""
    found = Attempt.objects.filter(workspace_id=workspace_id, state=AttemptState.IN_DOUBT)
    return list((found.filter(dispatch_id=dispatch_id) if dispatch_id else found).order_by("posted_at")[:limit])


def _deciding(row: Dispatch) -> int:
    """Decisions that had no last look yet."""
    return Decision.objects.filter(dispatch=row, state=WorkState.READY, admitted=False).count()


def _is_skip(word: str) -> bool:
    return word in {reason.label for reason in Reason if reason < Reason.POISON} - {Reason.INVALID.label}


def _words(states: Mapping[str, int], reasons: Mapping[str, int], out: Mapping[str, int], waiting: int, cancelled: int) -> dict[str, int]:
    words = {word.replace(" ", "_"): number for word, number in states.items() if word not in ("skipped", "failed")}
    for word, number in [*reasons.items(), *out.items(), ("waiting", waiting), ("cancelled", cancelled)]:
        if number:
            words[word] = words.get(word, 0) + number
    return words


def requests_of(row: Dispatch) -> dict[str, Any]:
    """Numbers over the dispatch's vendor requests; refused ones cost nothing. Of an archived run: as it ended."""
    if row.archived_at is not None and row.final_counts is not None:
        return dict(row.final_counts["requests"])
    through = Q(state__lt=AttemptState.REFUSED)
    priced = through & Q(reported_micros__isnull=False)
    return Attempt.objects.filter(workspace_id=row.workspace_id, dispatch_id=row.pk).aggregate(
        requests=Count("id"),
        cost=Sum("cost_micros", filter=through),
        priced=Count("id", filter=priced),
        expected_of_priced=Sum("cost_micros", filter=priced),
        reported=Sum("reported_micros", filter=priced),
        newest=Max("posted_at"),
    )


def _trouble(account: VendorAccount | None, requests: Mapping[str, Any]) -> str:
    """Why the account rests, as long as nothing was posted since."""
    if account is None or account.blocked_until is None or (requests["newest"] and requests["newest"] >= account.blocked_until):
        return ""
    return account.trouble


def _rate(row: Dispatch) -> float:
    posted = Attempt.objects.filter(workspace_id=row.workspace_id, dispatch_id=row.pk, state__lt=AttemptState.REFUSED)
    if row.kind == "campaign":
        posted = posted.filter(batch_id__in=Batch.objects.filter(dispatch=row, wave=row.waves_open - 1).values("id"))
    known = posted.aggregate(messages=Sum("count"), first=Min("posted_at"), last=Max("resolved_at"))
    seconds = (known["last"] - known["first"]).total_seconds() if known["first"] and known["last"] else 0.0
    return known["messages"] / seconds if seconds > 0 else 0.0


def _waves(row: Dispatch) -> tuple[WaveView, ...]:
    people = dict(Slice.objects.filter(dispatch=row).values_list("wave").annotate(Sum("count")).order_by("wave"))
    batches: dict[int, dict[int, int]] = {}
    due: dict[int, datetime] = {}
    grouped = Batch.objects.filter(dispatch=row).values_list("wave", "state").annotate(Count("id"), Min("due_at")).order_by("wave")
    for wave, state, number, due_at in grouped:
        batches.setdefault(wave, {})[state] = number
        if state == WorkState.READY:
            due[wave] = due_at
    return tuple(
        WaveView(
            number=wave + 1,
            people=number,
            state=_wave_state(batches.get(wave, {})),
            batches=sum(batches.get(wave, {}).values()),
            batches_done=batches.get(wave, {}).get(WorkState.DONE, 0),
            due_at=due.get(wave),
        )
        for wave, number in people.items()
    )


def _next_wave_at(row: Dispatch, waves: tuple[WaveView, ...]) -> datetime | None:
    if row.state != DispatchState.RUNNING or row.wave_done_at is None or all(wave.state != "closed" for wave in waves):
        return None
    return row.wave_done_at + timedelta(minutes=row.soak_minutes)


def _waits(row: Dispatch, counts: Counts) -> str:
    found = health(row, counts, now=timezone.now())
    if found.heard_enough:
        return ""
    return f"the vendor has reported on {found.heard:,} of {found.sent:,} messages, and {found.needed:.0%} are waited for"


def _wave_state(batches: Mapping[int, int]) -> str:
    if batches.get(WorkState.CLOSED):
        return "closed"
    if batches.get(WorkState.READY):
        return "sending"
    return "stopped" if batches.get(WorkState.CANCELLED) else "sent"
