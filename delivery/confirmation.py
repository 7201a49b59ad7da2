"""What the vendor's answers mean for the ledger: one fenced statement, and the little that refusals ask for.

Law: an answer that is known is written whenever it comes, unless the attempt was settled otherwise; a lease that was lost
meanwhile does not make the answer untrue, so the fence here is the attempt's own token and state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import transaction

from audience import door as audience
from delivery import attempts, budgets, limits, requeue, settled, sql, suppression
from delivery.adapters.base import Fate
from delivery.eligibility import Candidate
from delivery.ledger import Bundle, Terms
from delivery.states import MessageState, Reason
from delivery.work import Work

UNANSWERED = "the vendor doesn't answer"
ALL_OF_US = 10  # so many "later" of one window, and more than half of it, are meant for the account, whatever each of them says
_CULPRIT = {"n": "bigint", "attempt": "bigint", "reason": "smallint"}
_REST = {"throttled": 5.0, "transient": 2.0, "misconfigured": 60.0}  # seconds, where the vendor names none


@dataclass(slots=True)
class Followed:
    """What follows from a window's answers. retry: bundles to be attempted anew at once; later: some of the work must wait, at
    least `rest` seconds, for which the account is left alone. too_fast: the vendor asked for less; named: and said for how long. put_off:
    bundles that are tried again later, each by itself, while the account goes on."""

    counts: Counter[str] = field(default_factory=Counter)
    retry: list[Bundle] = field(default_factory=list)
    later: bool = False
    rest: float = 0.0
    trouble: str = ""
    too_fast: bool = False
    named: bool = False
    put_off: list[Bundle] = field(default_factory=list)


def confirm(work: Work, answered: Sequence[tuple[Bundle, Fate]], *, terms: Terms, last: bool, rest: float, now: datetime) -> Followed:
    """Write down what became of these requests, once however often it is called. last: nothing else of this work is left, so close
    it where nothing is retried. rest: seconds for which the account is to be left alone whatever was answered."""
    followed, culprits = Followed(), list[tuple[Bundle, Candidate, Fate]]()
    alone = sum(fate.only_this for _, fate in answered)
    meant = alone >= ALL_OF_US and alone > len(answered) / 2
    for bundle, fate in answered:
        if fate.only_this and fate.kind in _REST and not meant:
            followed.counts["put_off"] += len(bundle.candidates)
            followed.put_off.append(bundle)
        else:
            _follow(bundle, fate, followed, culprits)
    if rest:
        followed.rest, followed.trouble = max(followed.rest, rest), followed.trouble or UNANSWERED
        followed.later = followed.later or not last or bool(followed.retry)
    with transaction.atomic():
        written = attempts.settle(work, answered, now=now)
        _give_up(work, culprits, terms, now)
        refused = [bundle for bundle, fate in answered if fate.kind not in ("accepted", "ambiguous")]
        budgets.give_back(work.dispatch, sum(bundle.cost for bundle in refused if bundle.attempt_id in written))
        requeue.after_refusal(work, [bundle.attempt_id for bundle in refused if bundle.attempt_id in written], now=now)
        requeue.put_off(work, [bundle.attempt_id for bundle in followed.put_off if bundle.attempt_id in written], now=now)
        if followed.rest:
            account, asked = terms.route.key, {"too_fast": followed.too_fast, "named": followed.named}
            limits.rest(work.workspace_id, account, seconds=followed.rest, trouble=followed.trouble, now=now, **asked)
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
        followed.too_fast = followed.too_fast or fate.kind == "throttled"
        followed.named = followed.named or fate.retry_after is not None
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


def _give_up(work: Work, culprits: Sequence[tuple[Bundle, Candidate, Fate]], terms: Terms, now: datetime) -> None:
    """The vendor will never take these."""
    if not culprits:
        return
    rows = [
        (one.n, bundle.attempt_id, Reason.BAD_ADDRESS if fate.kind == "permanent_address" else Reason.REJECTED)
        for bundle, one, fate in culprits
    ]
    refused, given = sql.table("v", _CULPRIT, rows)
    sql.run(
        f"""UPDATE delivery_message SET state = %s, reason = v.reason FROM {refused}
        WHERE dispatch_id = %s AND workspace_id = %s AND delivery_message.n = v.n AND attempt_id = v.attempt AND state = %s""",
        [MessageState.FAILED, *given, work.dispatch.id, work.workspace_id, MessageState.SENDING],
    )
    if work.dispatch.channel == "push":
        return _invalidate(work, culprits, terms, now)
    stopped: dict[str, list[int]] = {}
    for _, one, fate in culprits:
        if fate.suppress and one.address_hash:
            stopped.setdefault(fate.suppress, []).append(one.address_hash)
    source = f"answer:{terms.route.adapter.key}"
    for reason, hashes in sorted(stopped.items()):
        suppression.suppress_hashes(work.workspace_id, work.dispatch.channel, hashes, reason=reason, source=source, now=now)


def _invalidate(work: Work, culprits: Sequence[tuple[Bundle, Candidate, Fate]], terms: Terms, now: datetime) -> None:
    """A dead device is its person's affair, not a suppression: they may register it anew, and their next one is written to from now on."""
    dead: dict[str, list[tuple[int, str]]] = {}
    for _, one, fate in culprits:
        if fate.suppress:
            dead.setdefault(fate.detail, []).append((one.profile_id, one.address))
    for detail, devices in sorted(dead.items()):
        why = f"{terms.route.adapter.title}: {detail}"
        audience.invalidate_devices(work.workspace_id, devices, why=why, now=now)


def _waiting(work: Work, answered: Sequence[tuple[Bundle, Fate]]) -> Work:
    """Unanswered transactional messages stay due: the vendor is asked about them, or they are sent once more."""
    if work.dispatch.message_class != "transactional":
        return work
    doubtful = [bundle for bundle, fate in answered if fate.kind == "ambiguous"]
    waiting = {one.n for bundle in doubtful for one in bundle.candidates if not one.replaces}
    return replace(work, waiting=work.waiting | waiting)
