"""Unanswered transactional requests: ask the vendor where it can be asked, else send once more.

A doubled password reset beats a missing one; a third is sent by nobody.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Q

from delivery import inbox
from delivery.adapters.base import OutgoingRequest, VendorResponse
from delivery.connections import Connections
from delivery.eligibility import Candidate
from delivery.ledger import Bundle, Terms
from delivery.models import Attempt, Message
from delivery.preparation import Prepared
from delivery.states import AttemptState
from delivery.work import Clock, Work

NEAR = timedelta(minutes=15)
GIVE_UP_ASKING = timedelta(hours=1)


def ask(work: Work, prepared: Prepared, terms: Terms, vendors: Connections, clock: Clock) -> tuple[Prepared, Work]:
    """Settle what the vendor can tell. Absent messages, and those of vendors that can't be asked, become repeats; undecided ones
    stay in doubt, as does what can't be rendered any more; where the question got no answer it is put again later."""
    ours = Attempt.objects.filter(dispatch_id=work.dispatch.id, id__in=set(work.doubts.values()))
    rows = {row.pk: row for row in ours.filter(state=AttemptState.IN_DOUBT)}
    bundles, waiting = [], set(work.waiting)
    for bundle in prepared.bundles:
        keep = [candidate for candidate in bundle.candidates if candidate.n not in work.doubts]
        if keep:
            bundles.append(replace(bundle, candidates=keep))
        for candidate in bundle.candidates:
            row = rows.get(work.doubts.get(candidate.n, 0))
            if row is None or row.count != 1:
                continue
            verdict = _verdict(row, candidate, bundle, terms, vendors, clock())
            if verdict == "absent":
                bundles.append(Bundle([replace(candidate, again=row.pk, replaces=row.pk)], bundle.program))
            elif verdict == "no answer":
                waiting.add(candidate.n)
    unsendable = [candidate for candidate in prepared.unsendable if candidate.n not in work.doubts]
    return Prepared(bundles, unsendable), replace(work, waiting=frozenset(waiting))


def _verdict(row: Attempt, candidate: Candidate, bundle: Bundle, terms: Terms, vendors: Connections, now: datetime) -> str:
    """accepted (and written down), absent (also: nobody can be asked), undecided, or no answer."""
    adapter, account = terms.route.adapter, terms.route.account
    if inbox.anything_waits(row.vendor):
        return "no answer"  # it may be among what the vendor said and nobody has drawn from yet
    if not adapter.features.lookup or candidate.message is None or (row.vendor, row.account) != (adapter.key, terms.route.key):
        return "absent"
    request = OutgoingRequest(row.pk, terms.route.channel, bundle.program.sender, [candidate.message], bundle.program.reply_to, at=now)
    question = adapter.lookup(request, account, posted_at=row.posted_at)
    if question is None:
        return "absent"
    answer = vendors.post(row.workspace_id, row.account, [question], limits=adapter.limits, now=now)[0]
    if not isinstance(answer, VendorResponse) or answer.status >= 500 or answer.status == 429:
        return "no answer" if now < row.posted_at + GIVE_UP_ASKING else "undecided"
    found = adapter.found(request, answer, posted_at=row.posted_at, known=_known(row))
    if found.verdict == "accepted" and _has_unnamed_twin(row, candidate):
        return "no answer" if now < row.posted_at + GIVE_UP_ASKING else "undecided"  # what was found may be the twin's
    if found.verdict == "accepted":
        Attempt.objects.filter(dispatch_id=row.dispatch_id, pk=row.pk, state=AttemptState.IN_DOUBT).update(
            state=AttemptState.SENT, resolved_at=now, resolved_by="lookup", vendor_id=found.vendor_id[:120]
        )
    return found.verdict


def _has_unnamed_twin(row: Attempt, candidate: Candidate) -> bool:
    """Whether another message went to the same address at about that time and it isn't known which of the vendor's is its own: what
    was found may be that one, whatever sent it, since two templates can say the same."""
    near = (row.posted_at - NEAR, row.posted_at + NEAR)
    same = Message.objects.filter(workspace_id=row.workspace_id, address_hash=candidate.address_hash, at__range=near, attempt_id__gt=0)
    attempts = dict(same.exclude(attempt_id=row.pk).values_list("attempt_id", "dispatch_id"))
    open_ones = Q(state__in=(AttemptState.POSTING, AttemptState.IN_DOUBT)) | Q(state=AttemptState.SENT, vendor_id="")
    theirs = Attempt.objects.filter(dispatch_id__in=set(attempts.values()), id__in=list(attempts), vendor=row.vendor)
    return theirs.filter(open_ones).exists()


def _known(row: Attempt) -> set[str]:
    """The vendor's ids of other requests at about that time: those are not this one."""
    near = Attempt.objects.filter(
        workspace_id=row.workspace_id,
        vendor=row.vendor,
        account=row.account,
        posted_at__gte=row.posted_at - NEAR,
        posted_at__lte=row.posted_at + NEAR,
    )
    return set(near.exclude(vendor_id="").values_list("vendor_id", flat=True))
