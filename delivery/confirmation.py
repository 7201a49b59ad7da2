"""What the vendor's answers mean for the ledger: one fenced update per attempt, and the little that refusals ask for.

Law: an answer that is known is written whenever it comes, unless the attempt was settled otherwise; a lease that was lost
meanwhile does not make the answer untrue, so the fence here is the attempt's own token and state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from delivery import budgets, limits, requeue, settled, suppression
from delivery.adapters.base import Fate
from delivery.eligibility import Candidate
from delivery.ledger import Bundle, Terms
from delivery.models import Attempt, Message
from delivery.states import AttemptState, MessageState, Reason
from delivery.work import Work

UNANSWERED = "the vendor doesn't answer"
_UNRESOLVED = (AttemptState.POSTING, AttemptState.IN_DOUBT)
_STATES = {
    "accepted": AttemptState.SENT,
    "ambiguous": AttemptState.IN_DOUBT,
    "throttled": AttemptState.REFUSED,
    "transient": AttemptState.REFUSED,
    "misconfigured": AttemptState.REFUSED,
}
_REST = {"throttled": 5.0, "transient": 2.0, "misconfigured": 60.0}  # seconds, where the vendor names none


@dataclass(slots=True)
class Followed:
    """What follows from a window's answers. retry: bundles to be attempted anew at once; later: some of the work must wait, at
    least `rest` seconds, for which the account is left alone."""

    counts: Counter[str] = field(default_factory=Counter)
    retry: list[Bundle] = field(default_factory=list)
    later: bool = False
    rest: float = 0.0
    trouble: str = ""


def confirm(work: Work, answered: Sequence[tuple[Bundle, Fate]], *, terms: Terms, last: bool, rest: float, now: datetime) -> Followed:
    """Write down what became of these requests, once however often it is called. last: nothing else of this work is left, so close
    it where nothing is retried. rest: seconds for which the account is to be left alone whatever was answered."""
    followed, culprits = Followed(), list[tuple[Bundle, Candidate, Fate]]()
    for bundle, fate in answered:
        _follow(bundle, fate, followed, culprits)
    if rest:
        followed.rest, followed.trouble = max(followed.rest, rest), followed.trouble or UNANSWERED
        followed.later = followed.later or not last or bool(followed.retry)
    with transaction.atomic():
        written = _write(answered, now)
        for bundle, candidate, fate in culprits:
            _give_up(work, bundle, candidate, fate, terms, now)
        refused = [bundle for bundle, fate in answered if fate.kind not in ("accepted", "ambiguous")]
        budgets.give_back(work.dispatch, sum(bundle.cost for bundle in refused if bundle.attempt_id in written))
        requeue.after_refusal(work, [bundle.attempt_id for bundle in refused if bundle.attempt_id in written], now=now)
        if followed.rest:
            limits.rest(work.workspace_id, terms.route.key, seconds=followed.rest, trouble=followed.trouble, now=now)
        if last and not followed.retry and not followed.later:
            settled.close(_waiting(work, answered), now=now)
    return followed


def _follow(bundle: Bundle, fate: Fate, followed: Followed, culprits: list[tuple[Bundle, Candidate, Fate]]) -> None:
    """Sort one answer: counted, split, or a reason to rest."""
    size = len(bundle.candidates)
    if fate.kind == "accepted":
        followed.counts["sent"] += size
    elif fate.kind == "ambiguous":
        followed.counts["in_doubt"] += size
    elif fate.kind in _REST:
        followed.counts["refused"] += size
        followed.later = True
        followed.rest = max(followed.rest, fate.retry_after if fate.retry_after is not None else _REST[fate.kind])
        followed.trouble = fate.detail
    else:
        culprit = next((one for one in bundle.candidates if one.message and one.message.message_id == fate.culprit), None)
        if culprit is None and size == 1:
            culprit = bundle.candidates[0]
        if culprit is not None:
            culprits.append((bundle, culprit, fate))
            followed.counts["failed"] += 1
        followed.retry += _parts([one for one in bundle.candidates if one is not culprit], bundle, halve=culprit is None)


def _parts(candidates: list[Candidate], bundle: Bundle, *, halve: bool) -> list[Bundle]:
    """What is attempted anew: everybody but the culprit, or two halves where nobody was named."""
    if not candidates:
        return []
    again = [replace(candidate, again=bundle.attempt_id, replaces=0) for candidate in candidates]
    middle = len(again) // 2
    cut = [again[:middle], again[middle:]] if halve else [again]
    return [Bundle(part, bundle.program, bundle.substituted) for part in cut]


def _write(answered: Sequence[tuple[Bundle, Fate]], now: datetime) -> set[int]:
    """One update per attempt, in the order of their numbers, as the writers of events do. Answers those that this settled."""
    written = set[int]()
    for bundle, fate in sorted(answered, key=lambda pair: pair[0].attempt_id):
        state = _STATES.get(fate.kind, AttemptState.REFUSED)
        resolved = state != AttemptState.IN_DOUBT
        open_one = Attempt.objects.filter(Q(token=bundle.token), pk=bundle.attempt_id, state__in=_UNRESOLVED)
        if open_one.update(
            state=state,
            resolved_at=now if resolved else None,
            resolved_by="vendor" if resolved else "",
            vendor_id=fate.vendor_id[:120],
            detail=(fate.detail if fate.code in fate.detail else f"{fate.detail} {fate.code}".strip())[:300],
        ):
            written.add(bundle.attempt_id)
    return written


def _give_up(work: Work, bundle: Bundle, candidate: Candidate, fate: Fate, terms: Terms, now: datetime) -> None:
    """The vendor will never take this one."""
    reason = Reason.BAD_ADDRESS if fate.kind == "permanent_address" else Reason.REJECTED
    Message.objects.filter(
        dispatch_id=work.dispatch.id,
        n=candidate.n,
        workspace_id=work.workspace_id,
        attempt_id=bundle.attempt_id,
        state=MessageState.SENDING,
    ).update(state=MessageState.FAILED, reason=reason)
    if fate.suppress and candidate.address_hash:
        suppression.suppress_hashes(
            work.workspace_id,
            work.dispatch.channel,
            [candidate.address_hash],
            reason=fate.suppress,
            source=f"answer:{terms.route.adapter.key}",
            now=now,
        )


def _waiting(work: Work, answered: Sequence[tuple[Bundle, Fate]]) -> Work:
    """Unanswered transactional messages stay due: the vendor is asked about them, or they are sent once more."""
    if work.dispatch.message_class != "transactional":
        return work
    doubtful = [bundle for bundle, fate in answered if fate.kind == "ambiguous"]
    waiting = {one.n for bundle in doubtful for one in bundle.candidates if not one.replaces}
    return replace(work, waiting=work.waiting | waiting)
