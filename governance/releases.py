"""The pointer to what is in force: moved forward by a release, back by a roll-back, taken away by a recall."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from governance import canonical, witness
from governance.approvals import changed_legal_fields, find_submission, items_of
from governance.audit import audit
from governance.bills import BillItem, bill_hash, find_loop, loop_finding, refs_of
from governance.findings import Finding, Invalid, Refused, Stale
from governance.kinds import Ref
from governance.models import Document, Release, Revision, Submission
from governance.reading import revision
from governance.revisions import clean_text
from governance.roles import Actor, Role, allow, person_of

REASON = 500  # characters


def release(actor: Actor, submission_id: int, *, now: datetime) -> list[Release]:
    """Put an approved bill in force: every document in it that changed, at once, with the witness bumped.

    Refused unless approved by enough people and nothing in it was recalled; Stale where a document of the bill
    was released to something else since it was submitted.
    """
    allow(actor, Role.APPROVER, "documents:release")
    with transaction.atomic():
        witness.lock(actor.workspace_id)
        submission = find_submission(actor.workspace_id, submission_id)
        items = items_of(submission)
        _refuse_unapproved(submission, items)
        documents = _refuse_moved(actor.workspace_id, items)
        _refuse_recalled(actor.workspace_id, items)
        moved = [item for item in items if documents[item.document_id].released_id != item.revision_id]
        releases = [_move(actor, item.document_id, item.revision_id, "release", "", now, submission) for item in moved]
        submission.state = Submission.State.RELEASED
        submission.save(update_fields=["state"])
        witness.bump(actor.workspace_id)
        for item in moved:
            data = {"number": item.number, "from": item.released_number, "submission": submission.pk}
            audit(actor, f"{item.kind}.released", subject=f"{item.kind}:{item.key}", data=data, now=now)
        if not moved:
            ref = Ref(submission.document.kind, submission.document.key)
            audit(actor, f"{ref.kind}.reapproved", subject=f"{ref.kind}:{ref.key}", data={"submission": submission.pk}, now=now)
    return releases


def roll_back(actor: Actor, kind_name: str, key: str, *, number: int, reason: str, now: datetime) -> Release:
    """Put an earlier released revision in force again. Refused for one that never was, that was recalled, or that is in force."""
    allow(actor, Role.APPROVER, "documents:release")
    reason = _reason(reason)
    with transaction.atomic():
        witness.lock(actor.workspace_id)
        target = revision(actor.workspace_id, kind_name, key, number)
        document = Document.objects.select_related("released").get(workspace_id=actor.workspace_id, kind=kind_name, key=key)
        _refuse_target(document, target.id, number)
        item = BillItem(kind_name, key, number, target.sha256, None, True, document.pk, target.id, target.author_id)
        if changed_legal_fields(actor.workspace_id, item) and not actor.legal:
            raise Refused(f"rolling back changes the message class of {kind_name} {key}: somebody with the legal permission must do it")
        _refuse_loop(actor.workspace_id, Ref(kind_name, key), target.id)
        before = document.released.number if document.released else None
        moved = _move(actor, document.pk, target.id, "rollback", reason, now)
        witness.bump(actor.workspace_id)
        audit(actor, f"{kind_name}.rolled_back", subject=f"{kind_name}:{key}", data={"number": number, "from": before}, now=now)
    return moved


def recall(actor: Actor, kind_name: str, key: str, *, number: int, reason: str, now: datetime) -> Release:
    """Forbid a revision for good: nothing that pins it may send any more; if it is in force, nothing is until a roll-back or release."""
    allow(actor, Role.APPROVER, "documents:release")
    reason = _reason(reason)
    with transaction.atomic():
        witness.lock(actor.workspace_id)
        target = revision(actor.workspace_id, kind_name, key, number)
        if target.recalled_at:
            raise Refused(f"revision {number} was recalled already")
        document = Document.objects.get(workspace_id=actor.workspace_id, kind=kind_name, key=key)
        Revision.objects.filter(workspace_id=actor.workspace_id, pk=target.id).update(recalled_at=now)
        Document.objects.filter(pk=document.pk, released_id=target.id).update(released=None, updated_at=now)
        recorded = _record(actor, document.pk, target.id, "recall", reason, now, None)
        witness.bump(actor.workspace_id)
        audit(actor, f"{kind_name}.recalled", subject=f"{kind_name}:{key}", data={"number": number}, now=now)
    return recorded


def recalled(workspace_id: int) -> frozenset[int]:
    """The ids of all recalled revisions: a dispatch that pins one must halt."""
    rows = Revision.objects.filter(workspace_id=workspace_id, recalled_at__isnull=False)
    return frozenset(rows.values_list("pk", flat=True))


def _refuse_unapproved(submission: Submission, items: tuple[BillItem, ...]) -> None:
    """The hash is recomputed from the stored bodies, and the votes are counted again."""
    if submission.state != Submission.State.APPROVED:
        raise Refused(f"the submission is {submission.state}: only an approved one can be released")
    votes = submission.decisions.filter(verdict="approve", bill_hash=submission.bill_hash).count()
    if votes < submission.approvals_needed:
        raise Refused(f"{votes} of {submission.approvals_needed} approvals were given")
    bodies = dict(Revision.objects.filter(pk__in=[item.revision_id for item in items]).values_list("pk", "body"))
    altered = [item for item in items if canonical.sha256(bodies.get(item.revision_id)) != item.sha256]
    if altered or bill_hash(items) != submission.bill_hash:
        raise Refused(
            "what is stored is not what was approved", [_finding(item, "an altered body", "the approved one") for item in altered]
        )


def _refuse_moved(workspace_id: int, items: tuple[BillItem, ...]) -> dict[int, Document]:
    """Releasing an approval that others have overtaken would take their release back unseen."""
    rows = Document.objects.filter(workspace_id=workspace_id, pk__in=[item.document_id for item in items]).select_related("released")
    documents = {row.pk: row for row in rows}
    for item in items:
        live = documents[item.document_id].released
        live_number = live.number if live else None
        if live_number not in (item.released_number, item.number):
            now = f"released as revision {live_number}" if live_number else "recalled"
            raise Stale(f"{item.ref} was {now} after this was submitted: submit again")
    return documents


def _refuse_recalled(workspace_id: int, items: tuple[BillItem, ...]) -> None:
    gone = recalled(workspace_id)
    findings = [
        _finding(item, f"revision {item.number}, which was recalled", "another revision") for item in items if item.revision_id in gone
    ]
    if findings:
        raise Refused("a part of what was approved was recalled", findings)


def _refuse_target(document: Document, revision_id: int, number: int) -> None:
    if document.released_id == revision_id:
        raise Refused(f"revision {number} is in force already")
    history = Release.objects.filter(document=document, revision_id=revision_id)
    if history.filter(action="recall").exists():
        raise Refused(f"revision {number} was recalled")
    if not history.filter(action__in=["release", "rollback"]).exists():
        raise Refused(f"revision {number} was never released: only what was in force before can be rolled back to")


def _refuse_loop(workspace_id: int, ref: Ref, revision_id: int) -> None:
    target = Revision.objects.get(workspace_id=workspace_id, pk=revision_id)
    way = find_loop(workspace_id, ref, refs_of(target), lambda row: row.released)
    if way:
        raise Refused("what is released would use itself", [loop_finding(way, f"{ref.kind}:{ref.key}")])


def _move(
    actor: Actor, document_id: int, revision_id: int, action: str, reason: str, now: datetime, submission: Submission | None = None
) -> Release:
    Document.objects.filter(workspace_id=actor.workspace_id, pk=document_id).update(released_id=revision_id, updated_at=now)
    return _record(actor, document_id, revision_id, action, reason, now, submission)


def _record(
    actor: Actor, document_id: int, revision_id: int, action: str, reason: str, now: datetime, submission: Submission | None
) -> Release:
    return Release.objects.create(
        workspace_id=actor.workspace_id,
        document_id=document_id,
        revision_id=revision_id,
        submission=submission,
        action=action,
        reason=reason,
        by_id=person_of(actor),
        at=now,
    )


def _reason(reason: str) -> str:
    reason = clean_text("reason", reason, REASON)
    if not reason:
        raise Invalid([Finding("error", "/reason", "nothing", "why, in a few words: it stays in the history")])
    return reason


def _finding(item: BillItem, found: str, expected: str) -> Finding:
    return Finding("error", f"{item.kind}:{item.key}", found, expected)
