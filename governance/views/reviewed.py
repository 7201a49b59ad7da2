"""What a request would change, document by document: before and after, in words, in pictures and in numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from governance import approvals, kinds
from governance.access import ConsoleRequest
from governance.bills import BillItem
from governance.difference import difference
from governance.finding_documents import used_by
from governance.findings import Invalid
from governance.kinds import Ref
from governance.models import Document, Revision, Submission
from governance.pages import document_address, pages_of
from governance.reading import RevisionView, revision_by_id, revision_view, titles
from governance.yaml_files import write as write_yaml

SHORT = 2  # conditions of a rule that is still a sentence


@dataclass(frozen=True, slots=True)
class Reviewed:
    """One changed document of a bill, before and after. words: a new one as a sentence, where its kind has words; moved: where
    it is told whom its release would bring in and lose; counted: where its reach before and after is told, if only that; others: what
    else uses it, by title and address."""

    item: BillItem
    kind: Any
    title: str
    before: RevisionView | None
    after: RevisionView
    changes: Sequence[Mapping[str, Any]]
    words: str
    before_text: str
    after_text: str
    href: str
    frame_before: str
    frame_after: str
    own: bool
    legal: Sequence[str]
    live_number: int | None
    moved: str
    counted: str
    others: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A document that is used as it is in force already. frame: its picture, where its kind has one."""

    item: BillItem
    kind: Any
    title: str
    href: str
    frame: str


def reviewed(request: ConsoleRequest, submission: Submission, items: Sequence[BillItem], root: Ref) -> list[Reviewed]:
    """The changed documents, the submitted one first; a handful of queries and some per document."""
    changed = sorted((item for item in items if item.changed), key=lambda item: (item.ref != root, item.kind, item.key))
    documents = _documents(request, changed)
    users = _users(request, items, {item.kind for item in changed})
    return [
        _reviewed(request, submission, item, documents[item.document_id], users.get(item.ref, ()))
        for item in changed
        if item.document_id in documents
    ]


def unchanged(request: ConsoleRequest, items: Sequence[BillItem]) -> list[Unchanged]:
    """What is used as it is, those with a picture first."""
    same = [item for item in items if not item.changed]
    documents = _documents(request, same)
    listed = [
        Unchanged(
            item=item,
            kind=kinds.kind(item.kind),
            title=documents[item.document_id].title or item.key,
            href=document_address(item.kind, item.key, "preview"),
            frame=_frame(item.kind, item.key, item.number),
        )
        for item in same
        if item.document_id in documents
    ]
    return sorted(listed, key=lambda each: (not each.frame, each.item.kind, each.title.casefold()))


def _documents(request: ConsoleRequest, items: Sequence[BillItem]) -> dict[int, Document]:
    rows = Document.objects.filter(workspace_id=request.actor.workspace_id, pk__in=[item.document_id for item in items])
    return {row.pk: row for row in rows.select_related("released__author")}


def _users(request: ConsoleRequest, items: Sequence[BillItem], changed: set[str]) -> dict[Ref, list[tuple[str, str]]]:
    """What uses a document and isn't part of the request: it changes for these, too."""
    own, workspace_id = {item.ref for item in items}, request.actor.workspace_id
    used = {Ref(kind, key): users for kind in changed for key, users in used_by(workspace_id, kind).items()}
    others = {ref: [user for user in users if user not in own] for ref, users in used.items() if ref in own}
    titled = titles(workspace_id, [user for users in others.values() for user in users])
    return {ref: [(titled[user], document_address(user.kind, user.key)) for user in users] for ref, users in others.items()}


def _reviewed(
    request: ConsoleRequest, submission: Submission, item: BillItem, row: Document, others: Sequence[tuple[str, str]]
) -> Reviewed:
    after, live, before = revision_by_id(request.actor.workspace_id, item.revision_id), row.released, None
    if live is not None and live.pk != item.revision_id:
        live.document = row
        before = revision_view(live)
    sort = kinds.kind(item.kind)
    moved = pages_of(item.kind).moved if _pending(submission, item, live) else ""
    counts = sort.reach is not None and before is not None and not moved
    return Reviewed(
        item=item,
        kind=sort,
        title=row.title or row.key,
        before=before,
        after=after,
        changes=_changes(before, after),
        words=_words(after)[0] if before is None else "",
        before_text=write_yaml(before.body).decode() if before else "",
        after_text=write_yaml(after.body).decode(),
        href=document_address(item.kind, item.key, "preview"),
        frame_before=_frame(item.kind, item.key, before.number) if before else "",
        frame_after=_frame(item.kind, item.key, item.number),
        own=after.author_id == request.actor.user_id,
        legal=approvals.changed_legal_fields(request.actor.workspace_id, item),
        live_number=live.number if live else None,
        moved=reverse(moved, args=[item.key, submission.pk]) if moved else "",
        counted=reverse("governance:review-reach", args=[submission.pk, sort.plural, item.key]) if counts else "",
        others=others,
    )


def _pending(submission: Submission, item: BillItem, live: Revision | None) -> bool:
    """Whether the document may yet be released as it was submitted, so that it can be told what that would do."""
    return submission.state in (Submission.State.OPEN, Submission.State.APPROVED) and (live is None or live.sha256 != item.sha256)


def tells_moves(submission: Submission) -> bool:
    """Whether the page tells whom the release of what was submitted itself would bring in and lose."""
    item = next(each for each in approvals.items_of(submission) if each.document_id == submission.document_id)
    return bool(pages_of(item.kind).moved) and _pending(submission, item, submission.document.released)


def _frame(kind: str, key: str, number: int) -> str:
    frame = pages_of(kind).frame
    return reverse(frame, args=[key, number]) if frame else ""


def _words(view: RevisionView, *others: RevisionView) -> list[str]:
    """What revisions of a document say, each as a sentence, or all in lines where one of them says much; "" where their kind has no
    words, or today's schema no longer reads one."""
    pages, views = pages_of(view.kind), (view, *others)
    for speak in (pages.outlined, pages.spoken):
        said = [_said(speak, each) for each in views]
        if speak is pages.spoken or any(each.count("\n") > SHORT for each in said):
            break
    return said


def _said(speak: Callable[[int, Any], str] | None, view: RevisionView) -> str:
    try:
        return speak(view.workspace_id, view.model) if speak else ""
    except Invalid:
        return ""


def _changes(before: RevisionView | None, after: RevisionView) -> list[Mapping[str, Any]]:
    """What differs: both as sentences, where the sentences differ, and every part of the body that these don't tell already."""
    changes = [change.as_dict() for change in difference(before.body if before else {}, after.body)]
    said = _words(before, after) if before else ["", ""]
    if not all(said) or said[0] == said[1]:
        return list(changes)
    told = pages_of(after.kind).told
    rest = [change for change in changes if not told or not f"{change['path']}/".startswith(f"{told}/")]
    return [{"where": "In words", "path": "", "op": "changed", "before": said[0], "after": said[1]}, *rest]
