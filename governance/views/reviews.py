"""Approvals: what waits for whom, and the page on which somebody vouches for everything that changed below."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from governance import approvals, kinds
from governance.access import ConsoleRequest
from governance.bills import Bill
from governance.checking import check_bill
from governance.findings import Finding, Invalid, Missing
from governance.form_bodies import field_id
from governance.kinds import Ref
from governance.models import Decision, Submission
from governance.pages import console_page, document_address, pages_of
from governance.reading import released, revision_by_id
from governance.roles import Role
from governance.views.reviewed import reviewed, tells_moves, unchanged

State = Submission.State


def waiting_for(workspace_id: int, user_id: int | None) -> int:
    """How many open submissions somebody else made and this person hasn't decided on."""
    rows = Submission.objects.filter(workspace_id=workspace_id, state=State.OPEN).exclude(submitted_by_id=user_id)
    return rows.exclude(decisions__by_id=user_id).count()


def waiting_submissions(workspace_id: int, user_id: int | None) -> list[dict[str, Any]]:
    """Open requests that somebody else made and this person hasn't decided on, the oldest first."""
    rows = _submissions(workspace_id).filter(state=State.OPEN).exclude(submitted_by_id=user_id)
    return [_row(row) for row in rows.exclude(decisions__by_id=user_id).order_by("submitted_at")[:50]]


def own_submissions(workspace_id: int, user_id: int | None, *, since: datetime) -> list[dict[str, Any]]:
    """What this person asked for lately and isn't in force: waiting, approved, or sent back with a comment; the newest first."""
    rows = _submissions(workspace_id).filter(submitted_by_id=user_id, submitted_at__gt=since).order_by("-submitted_at", "-pk")
    latest: dict[int, Submission] = {}
    for row in rows[:100]:
        latest.setdefault(row.document_id, row)  # of a document that was asked for again, the last request
    return [_row(row) for row in latest.values() if row.state in (State.OPEN, State.APPROVED, State.REJECTED)][:6]


@console_page()
def inbox(request: ConsoleRequest) -> HttpResponse:
    """What waits for this person, what they wait for, what can be released, and what was decided lately."""
    rows = _submissions(request.actor.workspace_id)
    open_ = list(rows.filter(state=State.OPEN).order_by("submitted_at")[:200])
    decided = {row.pk for row in open_ if any(decision.by_id == request.actor.user_id for decision in row.decisions.all())}
    context = {
        "title": "Approvals",
        "mine": [_row(row) for row in open_ if row.submitted_by_id != request.actor.user_id and row.pk not in decided],
        "others": [_row(row) for row in open_ if row.submitted_by_id == request.actor.user_id or row.pk in decided],
        "approved": [_row(row) for row in rows.filter(state=State.APPROVED).order_by("-closed_at")[:50]],
        "closed": [
            _row(row) for row in rows.filter(state__in=[State.RELEASED, State.REJECTED, State.WITHDRAWN]).order_by("-closed_at", "-pk")[:20]
        ],
        "may_decide": request.actor.role.covers(Role.APPROVER),
    }
    return render(request, "governance/inbox.html", context)


def _submissions(workspace_id: int) -> QuerySet[Submission]:
    rows = Submission.objects.filter(workspace_id=workspace_id)
    return rows.select_related("document", "submitted_by", "revision").prefetch_related("decisions__by")


def _row(row: Submission) -> dict[str, Any]:
    changed = [item for item in row.bill if item["changed"]]
    return {
        "submission": row,
        "kind": kinds.kind(row.document.kind),
        "icon": pages_of(row.document.kind).icon,
        "changed": len(changed),
        "approvals": sum(decision.verdict == "approve" for decision in row.decisions.all()),
    }


@console_page()
def review(request: ConsoleRequest, submission_id: int) -> HttpResponse:
    """Everything that would change, side by side, and the verdict."""
    submission = approvals.find_submission(request.actor.workspace_id, submission_id)
    return render(request, "governance/review.html", _review_context(request, submission))


def _review_context(request: ConsoleRequest, submission: Submission, faults: Sequence[Any] = (), comment: str = "") -> dict[str, Any]:
    actor, root = request.actor, Ref(submission.document.kind, submission.document.key)
    items = approvals.items_of(submission)
    changed = reviewed(request, submission, items, root)
    decisions = list(Decision.objects.filter(submission=submission).select_related("by").order_by("at"))
    open_ = submission.state == State.OPEN
    found = check_bill(actor, actor.workspace_id, root, Bill(items, submission.bill_hash), now=timezone.now()) if open_ else []
    own = [each for each in changed if each.own]
    legal = [each for each in changed if each.legal]
    return {
        "title": submission.document.title or submission.document.key,
        "submission": submission,
        "root": root,
        "kind": kinds.kind(root.kind),
        "pages": pages_of(root.kind),
        "href": document_address(root.kind, root.key),
        "preview": document_address(root.kind, root.key, "preview"),
        "reviewed": changed,
        "unchanged": unchanged(request, items),
        "decisions": decisions,
        "decided": any(decision.by_id == actor.user_id for decision in decisions),
        "approvals": sum(decision.verdict == "approve" for decision in decisions),
        "findings": found,
        "errors": sum(finding.level == "error" for finding in found),
        "own": own,
        "legal": legal,
        "lacks_legal": bool(legal) and not actor.legal,
        "is_approver": actor.role.covers(Role.APPROVER),
        "open": open_,
        "counts": kinds.kind(root.kind).reach is not None,
        "moves": tells_moves(submission),
        "estimate": reverse(pages_of(root.kind).estimate, args=[root.key]) if open_ and pages_of(root.kind).estimate else "",
        "policy": approvals.policy(actor.workspace_id),
        "faults": faults,
        "comment": comment,
        "trail": [{"title": "Approvals", "href": reverse("governance:inbox")}],
    }


@console_page()
def reach(request: ConsoleRequest, submission_id: int) -> HttpResponse:
    """The audience counted now, beside what it was when submitted: loaded by itself, because counting may take a moment."""
    submission = approvals.find_submission(request.actor.workspace_id, submission_id)
    count = kinds.kind(submission.document.kind).reach
    model = revision_by_id(request.actor.workspace_id, submission.revision_id).model
    now_count = count(request.actor.workspace_id, model, timezone.now()) if count else None
    drift = approvals.policy(request.actor.workspace_id).drift
    then = submission.reach
    moved = abs(now_count - then) / then if now_count is not None and then else 0.0
    last = Submission.objects.filter(document_id=submission.document_id, state=State.RELEASED).exclude(pk=submission.pk)
    released_reach = last.order_by("-closed_at", "-pk").values_list("reach", flat=True).first()
    context = {
        "released_reach": released_reach,
        "then": then,
        "now_count": now_count,
        "moved": moved,
        "drift": drift,
        "beyond": moved > drift,
        "moves": tells_moves(submission),
        "submission": submission,
    }
    return render(request, "governance/_reach.html", context)


@console_page()
def reach_of(request: ConsoleRequest, submission_id: int, plural: str, key: str) -> HttpResponse:
    """How many people one changed document finds as it is in force, and as it was submitted; both counted now."""
    workspace_id, now = request.actor.workspace_id, timezone.now()
    items = approvals.items_of(approvals.find_submission(workspace_id, submission_id))
    item = next((each for each in items if kinds.kind(each.kind).plural == plural and each.key == key), None)
    count = kinds.kind(item.kind).reach if item else None
    if item is None or count is None:
        raise Missing("a document of this request that finds people")
    live = released(workspace_id, item.kind, key)
    after = count(workspace_id, revision_by_id(workspace_id, item.revision_id).model, now)
    before = count(workspace_id, live.model, now)
    moved = (after - before) / before if before and after is not None else None
    return render(request, "governance/_reach_of.html", {"before": before, "after": after, "moved": moved})


def _asked(fault: Finding) -> tuple[str, str, str]:
    """What a verdict lacks, as a row of the error summary."""
    words = "Say what must change before it can be approved." if fault.found == "nothing" else f"{fault.found}; expected {fault.expected}"
    return (field_id(fault.path), "", words)


@require_POST
@console_page(Role.APPROVER)
def decide(request: ConsoleRequest, submission_id: int) -> HttpResponse:
    """Record the verdict, bound to the hash that was on the page."""
    asked = request.POST
    verdict = asked.get("verdict", "")
    try:
        submission = approvals.decide(
            request.actor,
            submission_id,
            bill_hash=asked.get("bill_hash", ""),
            verdict="approve" if verdict == "approve" else "reject",
            comment=asked.get("comment", ""),
            now=timezone.now(),
        )
    except Invalid as error:
        submission = approvals.find_submission(request.actor.workspace_id, submission_id)
        context = _review_context(request, submission, [_asked(fault) for fault in error.findings], asked.get("comment", ""))
        return render(request, "governance/review.html", context, status=422)
    words = {
        State.APPROVED: "Approved. It can be released now.",
        State.REJECTED: "Rejected. The author sees your comment.",
        State.OPEN: "Your approval is recorded; another person must approve it, too.",
    }
    messages.success(request, words.get(State(submission.state), "Recorded."))
    return redirect("governance:review", submission_id=submission_id)
