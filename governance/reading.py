"""Documents as other rooms and the doors see them: plain, complete, without further queries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from django.db.models import F, Prefetch, Q, QuerySet

from governance import kinds, witness
from governance.difference import difference
from governance.findings import Finding, Missing, parse
from governance.kinds import Ref
from governance.models import Document, Revision, Submission

State = Literal["draft", "submitted", "approved", "changed", "released", "recalled"]
STATES = ("draft", "submitted", "changed", "released")
REMEMBERED = 4_096  # released revisions kept per process
NAMED = 3  # changed fields that are named


@dataclass(frozen=True)
class RevisionView:
    """One immutable state of a document. author: the user's name; findings: what the checks said when it was saved."""

    id: int
    workspace_id: int
    kind: str
    key: str
    number: int
    body: dict[str, Any]
    sha256: str
    author: str
    author_id: int | None
    via: str
    note: str
    created_at: datetime
    findings: tuple[Finding, ...]
    uses: tuple[Ref, ...]
    recalled_at: datetime | None

    @cached_property
    def model(self) -> Any:
        """The body as its kind's schema. Raises Invalid where today's schema no longer accepts an old body."""
        return parse(kinds.kind(self.kind).schema, self.body)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that block a submission."""
        return tuple(finding for finding in self.findings if finding.level == "error")


@dataclass(frozen=True)
class DocumentView:
    """A document with its latest and its released revision, and the submission that is being decided or awaits release."""

    id: int
    workspace_id: int
    kind: str
    key: str
    title: str
    latest: RevisionView
    released: RevisionView | None
    open_submission: Submission | None
    approved_submission: Submission | None
    updated_at: datetime

    @property
    def state(self) -> State:
        """Where the document stands, in one word."""
        if self.open_submission:
            return "submitted"
        if self.approved_submission and self.approved_submission.revision_id == self.latest.id:
            return "approved"
        if self.released is None:
            return "recalled" if self.latest.recalled_at else "draft"
        return "released" if self.released.sha256 == self.latest.sha256 else "changed"

    @property
    def changed_fields(self) -> str:
        """The fields in which the draft differs from what is released: "subject, audience and 2 more"; "" without a release."""
        if self.released is None:
            return ""
        changes = difference(self.released.body, self.latest.body)
        names = list(dict.fromkeys(change.path.split("/")[1].replace("_", " ") for change in changes if change.path))
        shown, more = names[:NAMED], len(names) - NAMED
        return joined([*shown, f"{more} more"] if more > 0 else shown)

    @property
    def words(self) -> str:
        """Where the document stands and what happens next, as a sentence."""
        draft, live = f"Draft {self.latest.number}", self.released and f"released {self.released.number}"
        waiting = self.open_submission
        if waiting and waiting.revision_id != self.latest.id:
            return f"{draft} is newer than what was submitted. Submit again to ask for its approval."
        return {
            "submitted": f"{draft} is waiting for approval.",
            "approved": f"{draft} is approved. Release it to put it to use.",
            "draft": f"{draft} has never been released. Submit it for approval.",
            "changed": f"{draft} differs from {live} in {self.changed_fields}. Submit it for approval.",
            "recalled": f"{draft} was recalled. Nothing may send it any more.",
            "released": f"Revision {self.latest.number} is released.",
        }[self.state]


def joined(names: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def document(workspace_id: int, kind: str, key: str) -> DocumentView:
    """One document. Raises Missing."""
    found = _documents(workspace_id, kind).filter(key=key).first()
    if found is None:
        raise Missing(f"no {kinds.kind(kind).title.lower()} {key[:80]!r}")
    return _document_view(found)


def documents(workspace_id: int, kind: str) -> list[DocumentView]:
    """All documents of a kind, by key, in three queries."""
    return [_document_view(found) for found in _documents(workspace_id, kind).order_by("key")]


def document_views(rows: Iterable[Document]) -> list[DocumentView]:
    """Views of rows that came from `document_rows`."""
    return [_document_view(row) for row in rows]


def document_rows(workspace_id: int, kind: str) -> QuerySet[Document]:
    """The rows behind `documents`, for lists that page by cursor."""
    return _documents(workspace_id, kind)


def filtered(rows: QuerySet[Document], text: str, state: str) -> QuerySet[Document]:
    """Those of `document_rows` with this text in title or key, and in this one of STATES; "" for any."""
    if text:
        rows = rows.filter(Q(title__icontains=text[:100]) | Q(key__icontains=text[:100]))
    waiting = Q(submissions__state=Submission.State.OPEN)
    if state == "submitted":
        return rows.filter(waiting).distinct()
    if state == "draft":
        return rows.filter(released__isnull=True).exclude(waiting)
    if state == "released":
        return rows.filter(released__sha256=F("latest__sha256")).exclude(waiting)
    if state == "changed":
        return rows.filter(released__isnull=False).exclude(released__sha256=F("latest__sha256")).exclude(waiting)
    return rows


def revision(workspace_id: int, kind: str, key: str, number: int) -> RevisionView:
    """One revision by its number. Raises Missing."""
    kinds.kind(kind)
    rows = _revisions(workspace_id).filter(document__kind=kind, document__key=key)
    found = rows.filter(number=number).first() if 0 < number < 2**31 else None
    if found is None:
        raise Missing(f"no revision {str(number)[:20]} of {kind} {key[:80]!r}")
    return revision_view(found)


def revision_by_id(workspace_id: int, revision_id: int) -> RevisionView:
    """One revision by its id: what a dispatch has pinned. Raises Missing."""
    found = _revisions(workspace_id).filter(pk=revision_id).first()
    if found is None:
        raise Missing(f"no revision with the id {revision_id}")
    return revision_view(found)


def revision_rows(workspace_id: int, kind: str, key: str) -> QuerySet[Revision]:
    """A document's revisions, newest first, for lists that page by cursor."""
    return _revisions(workspace_id).filter(document__kind=kind, document__key=key).order_by("-number")


def revisions(workspace_id: int, kind: str, key: str, *, limit: int = 200) -> list[RevisionView]:
    """The newest revisions of a document, newest first."""
    return [revision_view(row) for row in revision_rows(workspace_id, kind, key)[:limit]]


_remembered: dict[tuple[int, str, str], tuple[int, RevisionView]] = {}
_together: dict[tuple[int, str], tuple[int, tuple[RevisionView, ...]]] = {}


def released(workspace_id: int, kind: str, key: str, *, epoch: int | None = None) -> RevisionView:
    """What is in force now. Raises Missing. One small query where the witness' epoch is the remembered one, two where something else
    has changed since: a revision that is still the released one says what it said.

    epoch: as it was read a moment ago, by a caller who wants several documents of one committed state.
    """
    epoch = witness.epoch(workspace_id) if epoch is None else epoch
    known = _remembered.get((workspace_id, kind, key))
    if known and known[0] == epoch:
        return known[1]
    if known and _same([known[1]], _in_force(workspace_id, kind).filter(key=key)):
        _remembered[workspace_id, kind, key] = (epoch, known[1])
        return known[1]
    row = _revisions(workspace_id).filter(released_by__workspace_id=workspace_id, document__kind=kind, document__key=key).first()
    if row is None:
        kinds.kind(kind)
        raise Missing(f"no released {kind} {key[:80]!r}")
    if len(_remembered) >= REMEMBERED:
        _remembered.clear()
    view = revision_view(row)
    _remembered[workspace_id, kind, key] = (epoch, view)
    return view


def all_released(workspace_id: int, kind: str) -> tuple[RevisionView, ...]:
    """Every revision of a kind that is in force now, by key; remembered as by `released`."""
    epoch = witness.epoch(workspace_id)
    before, known = _together.get((workspace_id, kind), (None, ()))
    if before == epoch:
        return known
    kinds.kind(kind)
    if before is None or not _same(known, _in_force(workspace_id, kind).order_by("key")):
        rows = _revisions(workspace_id).filter(released_by__workspace_id=workspace_id, document__kind=kind).order_by("document__key")
        known = tuple(revision_view(row) for row in rows)
    if len(_together) >= REMEMBERED:
        _together.clear()
    _together[workspace_id, kind] = (epoch, known)
    return known


def drafted(workspace_id: int, kind: str) -> dict[str, dict[str, Any]]:
    """By key the latest bodies of documents of which no revision is in force."""
    rows = Document.objects.filter(workspace_id=workspace_id, kind=kind, latest__isnull=False, released__isnull=True)
    return dict(rows.order_by("key").values_list("key", "latest__body"))


def users_of(workspace_id: int, kind: str, key: str) -> list[Ref]:
    """The documents whose latest revision uses this one."""
    rows = Document.objects.filter(workspace_id=workspace_id, latest__isnull=False).values_list("kind", "key", "latest__uses")
    return sorted(Ref(user_kind, user_key) for user_kind, user_key, uses in rows if [kind, key] in uses)


def titles(workspace_id: int, refs: Iterable[Ref]) -> dict[Ref, str]:
    """The titles of documents from their latest revisions, in one query; a document without one goes by its key."""
    wanted = set(refs)
    rows = Document.objects.filter(workspace_id=workspace_id, kind__in={ref.kind for ref in wanted}, key__in={ref.key for ref in wanted})
    known = {Ref(kind, key): title for kind, key, title in rows.values_list("kind", "key", "title")}
    return {ref: known.get(ref) or ref.key for ref in wanted}


def titles_of_kinds(workspace_id: int, kinds_named: Iterable[str]) -> dict[tuple[str, str], str]:
    """By kind and key the titles of all documents of these kinds that have one, in one query."""
    rows = Document.objects.filter(workspace_id=workspace_id, kind__in=list(kinds_named)).exclude(title="")
    return {(kind, key): title for kind, key, title in rows.values_list("kind", "key", "title")}


def revision_view(row: Revision) -> RevisionView:
    """The view of a row that was read with its document and author."""
    return RevisionView(
        id=row.pk,
        workspace_id=row.workspace_id,
        kind=row.document.kind,
        key=row.document.key,
        number=row.number,
        body=row.body,
        sha256=row.sha256,
        author=row.author.get_username() if row.author else "",
        author_id=row.author_id,
        via=row.via,
        note=row.note,
        created_at=row.created_at,
        findings=tuple(Finding(**finding) for finding in row.findings),
        uses=tuple(Ref(*used) for used in row.uses),
        recalled_at=row.recalled_at,
    )


def _revisions(workspace_id: int) -> QuerySet[Revision]:
    return Revision.objects.filter(workspace_id=workspace_id).select_related("document", "author")


def _in_force(workspace_id: int, kind: str) -> QuerySet[Document]:
    return Document.objects.filter(workspace_id=workspace_id, kind=kind, released__isnull=False)


def _same(known: Sequence[RevisionView], rows: QuerySet[Document]) -> bool:
    """Whether these documents' released revisions are the known ones. Not by their ids alone: SQLite gives the id of a revision that was
    rolled back to another."""
    found = rows.values_list("released_id", "released__sha256", "released__created_at")
    return list(found) == [(view.id, view.sha256, view.created_at) for view in known]


def _documents(workspace_id: int, kind: str) -> QuerySet[Document]:
    kinds.kind(kind)
    live = Submission.objects.filter(state__in=[Submission.State.OPEN, Submission.State.APPROVED]).order_by("submitted_at", "pk")
    return (
        Document.objects.filter(workspace_id=workspace_id, kind=kind, latest__isnull=False)
        .select_related("latest__author", "released__author")
        .prefetch_related(Prefetch("submissions", queryset=live, to_attr="live_submissions"))
    )


def _document_view(row: Document) -> DocumentView:
    for known in (row.latest, row.released):
        if known is not None:
            known.document = row
    live: dict[str, Submission] = {submission.state: submission for submission in getattr(row, "live_submissions", ())}
    assert row.latest is not None
    return DocumentView(
        id=row.pk,
        workspace_id=row.workspace_id,
        kind=row.kind,
        key=row.key,
        title=row.title,
        latest=revision_view(row.latest),
        released=revision_view(row.released) if row.released else None,
        open_submission=live.get(Submission.State.OPEN),
        approved_submission=live.get(Submission.State.APPROVED),
        updated_at=row.updated_at,
    )
