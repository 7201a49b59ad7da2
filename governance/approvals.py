"""Submit, decide, withdraw: other people vouch for one bill of materials, bound to its hash and to the audience's size."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from django.db import transaction

from governance import witness
from governance.audit import audit
from governance.bills import Bill, BillItem, bill
from governance.checking import check_bill
from governance.documents import policy as policy
from governance.findings import Finding, Invalid, Missing, Refused, Stale, shorten
from governance.kinds import Ref, kind
from governance.models import Decision, Document, Release, Revision, Submission
from governance.reading import document, revision_by_id
from governance.revisions import clean_text, missed
from governance.roles import Actor, Role, allow, person_of

COMMENT, NOTE = 4_000, 500  # characters
State = Submission.State
Verdict = Literal["approve", "reject"]


def submit(actor: Actor, kind_name: str, key: str, *, number: int, note: str = "", now: datetime) -> Submission:
    """Ask others to vouch for the latest revision and everything it uses, drafts included.

    Raises Stale unless `number` is the latest; Invalid with every error in the bill; Refused where the same bill
    is waiting already. An older open submission of the document is withdrawn in its favour.
    """
    allow(actor, Role.AUTHOR, "documents:submit")
    note = clean_text("note", note, NOTE)
    ref, latest = Ref(kind_name, key), document(actor.workspace_id, kind_name, key).latest
    _refuse_old(actor.workspace_id, ref, latest.id, number)
    materials = bill(actor.workspace_id, kind_name, key, of="draft")
    errors = [each for each in check_bill(actor, actor.workspace_id, ref, materials, now=now) if each.level == "error"]
    if errors:
        raise Invalid(errors)
    reach = _reach(actor.workspace_id, ref, latest.id, now)
    with transaction.atomic():
        witness.lock(actor.workspace_id)
        _refuse_moved(actor.workspace_id, ref, materials.hash)
        _supersede(actor, latest.id, materials.hash, now)
        submission = Submission.objects.create(
            workspace_id=actor.workspace_id,
            document_id=document_id_in(materials, ref),
            revision_id=latest.id,
            bill=[item.as_dict() for item in materials.items],
            bill_hash=materials.hash,
            reach=reach,
            approvals_needed=policy(actor.workspace_id).needed(reach),
            note=note,
            submitted_by_id=person_of(actor),
            submitted_at=now,
        )
        _audit(actor, "submitted", submission, ref, {"number": number, "bill": materials.hash, "reach": reach}, now)
    return submission


def decide(actor: Actor, submission_id: int, *, bill_hash: str, verdict: Verdict, comment: str = "", now: datetime) -> Submission:
    """Record one person's verdict on the bill that they saw (`bill_hash`), with the audience's size at this moment.

    Refused: own work anywhere in what isn't released yet, a role below approver, a changed message class without `legal`,
    a second verdict. Stale: the bill is no longer the one that was shown.
    """
    allow(actor, Role.APPROVER, "documents:decide")
    comment = _comment(verdict, comment)
    submission = find_submission(actor.workspace_id, submission_id)
    ref = Ref(submission.document.kind, submission.document.key)
    _refuse_own(actor, submission, items_of(submission))
    reach = _reach(actor.workspace_id, ref, submission.revision_id, now) if verdict == "approve" else None
    with transaction.atomic():
        witness.lock(actor.workspace_id)
        submission = find_submission(actor.workspace_id, submission_id)
        _refuse_closed(submission)
        if bill_hash != submission.bill_hash:
            raise Stale("what was shown is not what was submitted: look again before deciding")
        materials = _refuse_moved(actor.workspace_id, ref, submission.bill_hash)
        _refuse_own(actor, submission, materials.items)
        if verdict == "approve":
            _refuse_illegal(actor, materials)
        _record(actor, submission, verdict, comment, reach, now)
        _settle(submission, verdict, reach, now)
        data = {"verdict": verdict, "bill": bill_hash, "reach": reach, "state": submission.state}
        _audit(actor, "decided", submission, ref, data, now)
    return submission


def withdraw(actor: Actor, submission_id: int, *, now: datetime) -> Submission:
    """Take back an open submission, or an approval that was not released."""
    allow(actor, Role.AUTHOR, "documents:submit")
    with transaction.atomic():
        witness.lock(actor.workspace_id)
        submission = find_submission(actor.workspace_id, submission_id)
        if submission.state not in (State.OPEN, State.APPROVED):
            raise Refused(f"the submission is {submission.state}: only open or approved ones can be withdrawn")
        _close(submission, State.WITHDRAWN, now)
        _audit(actor, "withdrawn", submission, Ref(submission.document.kind, submission.document.key), {}, now)
    return submission


def find_submission(workspace_id: int, submission_id: int) -> Submission:
    """One submission with its document. Raises Missing."""
    rows = Submission.objects.filter(workspace_id=workspace_id).select_related("document", "submitted_by", "revision")
    found = rows.filter(pk=submission_id).first() if 0 < submission_id < 2**63 else None
    if found is None:
        raise Missing(f"no submission {str(submission_id)[:20]}")
    return found


def items_of(submission: Submission) -> tuple[BillItem, ...]:
    """The bill as it was submitted."""
    return tuple(BillItem(**item) for item in submission.bill)


def _reach(workspace_id: int, ref: Ref, revision_id: int, now: datetime) -> int | None:
    count = kind(ref.kind).reach
    return count(workspace_id, revision_by_id(workspace_id, revision_id).model, now) if count else None


def document_id_in(materials: Bill, ref: Ref) -> int:
    """The id of the document that a bill is about."""
    return next(item.document_id for item in materials.items if item.ref == ref)


def _refuse_old(workspace_id: int, ref: Ref, latest_id: int, number: int) -> None:
    latest = Revision.objects.get(workspace_id=workspace_id, pk=latest_id)
    if latest.number != number:
        reason = f"{ref} is at revision {latest.number}; revision {number} can't be submitted any more"
        raise Stale(reason, missed(workspace_id, ref, number, latest))


def _refuse_moved(workspace_id: int, ref: Ref, shown: str) -> Bill:
    """The bill as it is now, if it is still the one that was shown."""
    materials = bill(workspace_id, ref.kind, ref.key, of="draft")
    if materials.hash != shown:
        raise Stale(f"{ref} or something that it uses was changed meanwhile: look at the difference and submit again")
    return materials


def _refuse_closed(submission: Submission) -> None:
    if submission.state != State.OPEN:
        raise Refused(f"the submission is {submission.state}: there is nothing left to decide")


def _supersede(actor: Actor, revision_id: int, hash: str, now: datetime) -> None:
    document_id = Revision.objects.values_list("document_id", flat=True).get(workspace_id=actor.workspace_id, pk=revision_id)
    for older in Submission.objects.filter(workspace_id=actor.workspace_id, document_id=document_id, state=State.OPEN):
        if older.bill_hash == hash:
            raise Refused("exactly this is waiting for approval already")
        _close(older, State.WITHDRAWN, now)
        audit(actor, "submission.superseded", subject=f"submission:{older.pk}", data={}, now=now)


def _refuse_own(actor: Actor, submission: Submission, items: tuple[BillItem, ...]) -> None:
    """Nobody vouches for their own words: what they wrote below and isn't released, nor ever the submitted revision itself."""
    own = [item for item in items if _wrote(actor, item) and (item.revision_id == submission.revision_id or _unreleased(item))]
    if own:
        names = ", ".join(f"{item.ref} revision {item.number}" for item in own)
        raise Refused(
            f"a second person must decide: you wrote {names}",
            [
                Finding("error", f"{item.kind}:{item.key}", f"revision {item.number}, written by you", "a decision by somebody else")
                for item in own
            ],
        )


def _wrote(actor: Actor, item: BillItem) -> bool:
    """True for the author of this revision, and of the same body under another number."""
    rows = Revision.objects.filter(workspace_id=actor.workspace_id, document_id=item.document_id, sha256=item.sha256)
    return rows.filter(author_id=actor.user_id).exists()


def _unreleased(item: BillItem) -> bool:
    live = Document.objects.values_list("released__sha256", flat=True).get(pk=item.document_id)
    return live != item.sha256


def _refuse_illegal(actor: Actor, materials: Bill) -> None:
    """A changed message class changes whose consent is asked: only people with `legal` may approve that."""
    if actor.legal:
        return
    for item in materials.changed:
        fields = changed_legal_fields(actor.workspace_id, item)
        if fields:
            finding = Finding("error", f"{item.kind}:{item.key}#/{fields[0]}", "a change", "an approver with the legal permission")
            raise Refused(
                f"{item.ref} changes its {fields[0].replace('_', ' ')}: somebody with the legal permission must approve it", [finding]
            )


def changed_legal_fields(workspace_id: int, item: BillItem) -> list[str]:
    """The fields with legal weight in which this revision differs from the one that was last in force; none for a first release.

    A recall takes the pointer away, not the promise: what was recalled is still what people were written to under.
    """
    moves = Release.objects.filter(workspace_id=workspace_id, document_id=item.document_id, action__in=["release", "rollback"])
    live = moves.order_by("-pk").values_list("revision__body", flat=True).first()
    body = Revision.objects.values_list("body", flat=True).get(workspace_id=workspace_id, pk=item.revision_id)
    if live is None:
        return []
    return [field for field in kind(item.kind).legal_fields if live.get(field) != body.get(field)]


def _comment(verdict: str, comment: str) -> str:
    if verdict not in ("approve", "reject"):
        raise Invalid([Finding("error", "/verdict", shorten(verdict), "approve or reject")])
    comment = clean_text("comment", comment, COMMENT)
    if verdict == "reject" and not comment:
        raise Invalid([Finding("error", "/comment", "nothing", "what must change before it can be approved")])
    return comment


def _record(actor: Actor, submission: Submission, verdict: str, comment: str, reach: int | None, now: datetime) -> None:
    if submission.decisions.filter(by_id=actor.user_id).exists():
        raise Refused("you have decided on this submission already: another person must")
    Decision.objects.create(
        workspace_id=actor.workspace_id,
        submission=submission,
        by_id=person_of(actor),
        verdict=verdict,
        comment=comment,
        bill_hash=submission.bill_hash,
        reach=reach,
        at=now,
    )


def _settle(submission: Submission, verdict: str, reach: int | None, now: datetime) -> None:
    """Close the submission where enough people have spoken. An audience that grew may need more of them than when it was submitted."""
    if verdict == "reject":
        return _close(submission, State.REJECTED, now)
    needed = max(submission.approvals_needed, policy(submission.workspace_id).needed(reach))
    if needed != submission.approvals_needed:
        submission.approvals_needed = needed
        submission.save(update_fields=["approvals_needed"])
    if submission.decisions.filter(verdict="approve").count() >= needed:
        _close(submission, State.APPROVED, now)


def _close(submission: Submission, state: State, now: datetime) -> None:
    submission.state, submission.closed_at = state, now
    submission.save(update_fields=["state", "closed_at"])


def _audit(actor: Actor, action: str, submission: Submission, ref: Ref, data: Mapping[str, object], now: datetime) -> None:
    audit(actor, f"{ref.kind}.{action}", subject=f"{ref.kind}:{ref.key}", data={"submission": submission.pk, **data}, now=now)
