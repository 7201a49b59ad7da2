"""Admit and confirm: the two short transactions around every vendor request.

Laws: admit's commit is the in-flight mark, and before it nothing has left; a message has at most one attempt that is not
surely refused; a stale token, another epoch or a cancelled decision writes nothing; money never passes the budget.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from delivery import attempts, sql
from delivery.budgets import reserve
from delivery.caps import lock_people
from delivery.eligibility import Candidate, Verdicts, judge
from delivery.isolation import split_off
from delivery.models import Attempt, Batch, Decision, Message
from delivery.one_person import Places, places
from delivery.policies import OUTBOX, Route
from delivery.policy_document import SendingPolicy
from delivery.requeue import reopened
from delivery.rows import NewRow, write
from delivery.states import AttemptState, MessageState, Reason, WorkState
from delivery.work import Clock, Entry, Program, Work
from governance import door as governance

_AGAIN = {"n": "bigint", "former": "bigint", "attempt": "bigint", "variant": "smallint", "address": "bigint"}


class Halted(Exception):
    """The work may not go on as it was leased: somebody else has it now, or what the witness guards has changed."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the witness vouches for while the epoch stands."""

    route: Route
    policy: SendingPolicy
    recalled: bool = False


@dataclass(slots=True)
class Bundle:
    """Messages that travel in one vendor request; attempt_id once admitted. substituted: they share their constant text."""

    candidates: list[Candidate]
    program: Program
    substituted: bool = False
    attempt_id: int = 0
    token: int = 0
    cost: int = 0


@dataclass(slots=True)
class Admission:
    """What a last look let through: bundles with at least one message, each with its attempt; counts of the others by word.
    unpaid: the budget didn't pay for all of them."""

    bundles: list[Bundle]
    counts: Counter[str] = field(default_factory=Counter)
    at: datetime | None = None
    unpaid: bool = False


def admit(work: Work, bundles: Sequence[Bundle], unsendable: Sequence[Candidate], *, terms: Terms, clock: Clock) -> Admission:
    """Have the last look and record the outcome; once this returns, the admitted are in flight. Raises Halted: nothing was done.

    unsendable: candidates with a fault, recorded on the way. clock is read once, when all locks are held.
    """
    candidates = [candidate for bundle in bundles for candidate in bundle.candidates]
    counted = work.dispatch.message_class == "promotional" and terms.policy.caps
    try:
        with transaction.atomic(durable=True):
            locked = counted or work.dispatch.kind == "campaign"  # of which one person gets one message: no merge in between
            lock_people([candidate.profile_id for candidate in candidates] if locked else [], shared=not counted)
            if governance.hold_epoch(work.workspace_id) != work.epoch:
                raise Halted("what was released, paused or switched has changed")
            return _admit(work, bundles, [*unsendable, *candidates], terms, clock())
    except IntegrityError as conflict:
        raise Halted("somebody else has admitted some of these messages") from conflict


def _admit(work: Work, bundles: Sequence[Bundle], candidates: list[Candidate], terms: Terms, now: datetime) -> Admission:
    until = now + timedelta(seconds=settings.OMNI.lease_seconds)
    live = _hold(work, [candidate.n for candidate in candidates], until)
    if live is not None:
        candidates = [candidate for candidate in candidates if candidate.n in live]
    local = terms.route.adapter.key == OUTBOX
    found = Places(candidates) if work.dispatch.kind == "transactional" else places(work.dispatch, candidates)
    verdicts = judge(work.dispatch, found.left, terms.policy, local=local, recalled=terms.recalled, now=now)
    verdicts.skipped += found.skipped
    verdicts.postponed += [(candidate, now) for candidate in found.moved]
    if work.dispatch.shadow:
        verdicts.keep(Reason.SHADOW, lambda candidate: False)
    unpaid = reserve(work.dispatch, verdicts)
    verdicts.postponed += [(candidate, now) for candidate in unpaid]
    admitted = {candidate.n for candidate in verdicts.admitted}
    going = [_narrowed(bundle, admitted) for bundle in bundles]
    going = [bundle for bundle in going if bundle.candidates]
    _attempts(work, going, terms.route, now, until)
    _record(work, going, verdicts, now)
    _postpone(work, verdicts.postponed)
    return Admission(going, _words(verdicts), now, unpaid=bool(unpaid))


def _hold(work: Work, ns: list[int], until: datetime) -> set[int] | None:
    """Prove that the lease is still ours and prolong it. Decisions: which of these numbers nobody has cancelled."""
    when = sql.moment(until)
    if work.source == "batch":
        held = sql.run(
            "UPDATE delivery_batch SET leased_until = %s, due_at = %s WHERE id = %s AND token = %s AND state = %s",
            [when, when, work.source_ids[0], work.token, WorkState.READY],
            often=True,
        )
        if not held:
            raise Halted("the lease was lost")
        return None
    rows = sql.rows(
        f"""UPDATE delivery_decision SET leased_until = %s, due_at = %s, admitted = (admitted OR {sql.among("n")})
        WHERE {sql.among("id")} AND token = %s AND state = %s RETURNING n""",
        [when, when, sql.numbers(ns), sql.numbers(work.source_ids), work.token, WorkState.READY],
        often=True,
    )
    if not rows:
        raise Halted("the lease was lost, or all of it was cancelled")
    return {row[0] for row in rows}


def _narrowed(bundle: Bundle, admitted: set[int]) -> Bundle:
    bundle.candidates = [candidate for candidate in bundle.candidates if candidate.n in admitted]
    bundle.cost = sum(candidate.cost for candidate in bundle.candidates)
    return bundle


def _attempts(work: Work, bundles: list[Bundle], route: Route, now: datetime, until: datetime) -> None:
    """One row per vendor request; a request in doubt that is repeated is settled as replaced, unless something just settled it."""
    _remember_first(work, bundles)
    attempts.begin(work, bundles, route, now=now, until=until)
    replaced = {candidate.replaces for bundle in bundles for candidate in bundle.candidates if candidate.replaces}
    if replaced:
        settled = Attempt.objects.filter(dispatch_id=work.dispatch.id, id__in=replaced, state=AttemptState.IN_DOUBT).update(
            state=AttemptState.REFUSED, resolved_at=now, resolved_by="resend", detail="unanswered; sent once more"
        )
        if settled != len(replaced):
            raise Halted("a request in doubt was settled meanwhile")


def _remember_first(work: Work, bundles: list[Bundle]) -> None:
    """A repeat that was refused is tried again as what it is, a repeat: a third is sent by nobody, and the first's doubt stays known."""
    alone = [bundle.candidates[0] for bundle in bundles if len(bundle.candidates) == 1 and bundle.candidates[0].again]
    if work.dispatch.message_class != "transactional" or not alone:
        return
    rows = Attempt.objects.filter(dispatch_id=work.dispatch.id, id__in=[candidate.again for candidate in alone], replaces_id__isnull=False)
    first = dict(rows.values_list("id", "replaces_id"))
    for candidate in alone:
        candidate.first = first.get(candidate.again) or 0


def _record(work: Work, bundles: list[Bundle], verdicts: Verdicts, now: datetime) -> None:
    """New rows for first looks; rows of earlier attempts are taken over, each only from the attempt that it was known to have."""
    going = [(candidate, bundle.attempt_id) for bundle in bundles for candidate in bundle.candidates]
    rows = [_row(candidate, MessageState.SENDING, Reason.NONE, attempt_id) for candidate, attempt_id in going if not candidate.again]
    _take_over(work, [(candidate, attempt_id) for candidate, attempt_id in going if candidate.again], now)
    for candidate, reason in verdicts.skipped:
        state = MessageState.FAILED if reason == Reason.INVALID else MessageState.SKIPPED
        if candidate.replaces:
            continue  # it may have been accepted: it stays in doubt
        if candidate.again:
            _end(work, candidate, state, reason, now)
        else:
            rows.append(_row(candidate, state, reason, 0))
    rows.sort(key=lambda row: row.n)
    write(work.workspace_id, work.dispatch.id, rows, at=now)


def _row(candidate: Candidate, state: MessageState, reason: Reason, attempt_id: int) -> NewRow:
    return NewRow(candidate.n, candidate.profile_id, state, reason, attempt_id, candidate.variant, candidate.address_hash)


def _take_over(work: Work, taken: list[tuple[Candidate, int]], now: datetime) -> None:
    if not taken:
        return
    former = {candidate.again for candidate, _ in taken}
    refused = Attempt.objects.filter(dispatch_id=work.dispatch.id, id__in=former, state=AttemptState.REFUSED)
    if refused.count() != len(former):
        raise Halted("an earlier attempt of these messages may have been accepted after all")
    values = [(one.n, one.again, attempt_id, one.variant, one.address_hash) for one, attempt_id in taken]
    again, given = sql.table("v", _AGAIN, values)
    changed = sql.run(
        f"""UPDATE delivery_message SET attempt_id = v.attempt, variant = v.variant, address_hash = v.address, at = %s FROM {again}
        WHERE dispatch_id = %s AND workspace_id = %s AND delivery_message.n = v.n AND attempt_id = v.former AND state = %s""",
        [sql.moment(now), *given, work.dispatch.id, work.workspace_id, MessageState.SENDING],
    )
    if changed != len(taken):
        raise Halted("an earlier attempt of these messages was settled meanwhile")


def _end(work: Work, candidate: Candidate, state: MessageState, reason: Reason, now: datetime) -> None:
    """A message whose last attempt counts as refused is not attempted again. Where the vendor may have it all the same, from an unanswered
    request, the doubt is as open as before."""
    mine = Message.objects.filter(
        dispatch_id=work.dispatch.id, workspace_id=work.workspace_id, n=candidate.n, attempt_id=candidate.again, state=MessageState.SENDING
    )
    if mine.exists() and (doubted := reopened(work.dispatch.id, candidate.again, candidate.n)):
        mine.update(attempt_id=doubted)
        return
    mine.update(state=state, reason=reason, at=now)


def _postpone(work: Work, postponed: Sequence[tuple[Candidate, datetime]]) -> None:
    """The same numbers at another time: decisions move, of a batch a part with that due time splits off."""
    moments: dict[datetime, list[Candidate]] = {}
    for candidate, until in postponed:
        moments.setdefault(until, []).append(candidate)
    if work.source == "decisions":
        for until, some in moments.items():
            for known in (False, True):  # whatever has a row in the ledger stays marked as such
                ns = [candidate.n for candidate in some if bool(candidate.again or candidate.replaces) == known]
                Decision.objects.filter(dispatch_id=work.dispatch.id, n__in=ns, token=work.token).update(
                    due_at=until, leased_until=None, admitted=known, claims=0, token=0
                )
        return
    if not moments:
        return
    parent = Batch.objects.select_related("slice").defer("slice__ids").get(pk=work.source_ids[0])
    split_off(parent, {until: [Entry(one.n, one.profile_id) for one in some] for until, some in moments.items()})


def _words(verdicts: Verdicts) -> Counter[str]:
    counts = Counter(reason.label for _, reason in verdicts.skipped)
    if verdicts.postponed:
        counts["postponed"] = len(verdicts.postponed)
    return counts
