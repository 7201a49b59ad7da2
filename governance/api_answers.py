"""What the governance API gives: shapes only, each made `of` what a door returned."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from governance.approved import Approval
from governance.bills import Bill
from governance.findings import Finding
from governance.kinds import Kind
from governance.models import ApiKey, AuditEntry, Decision, Release, Submission
from governance.reading import DocumentView, RevisionView
from governance.roles import Actor


class FindingAnswer(BaseModel):
    level: str
    path: str
    found: str
    expected: str

    @classmethod
    def of(cls, finding: Finding) -> FindingAnswer:
        return cls(**finding.as_dict())


class KindAnswer(BaseModel):
    """A kind of document and the JSON Schema of its bodies."""

    name: str
    plural: str
    title: str
    body: dict[str, Any]

    @classmethod
    def of(cls, kind: Kind[Any]) -> KindAnswer:
        return cls(name=kind.name, plural=kind.plural, title=kind.title, body=kind.schema.model_json_schema())


class RevisionAnswer(BaseModel):
    number: int
    body: dict[str, Any]
    sha256: str
    author: str
    via: str
    note: str
    created_at: datetime
    recalled_at: datetime | None
    findings: list[FindingAnswer]

    @classmethod
    def of(cls, view: RevisionView) -> RevisionAnswer:
        fields = {name: getattr(view, name) for name in cls.model_fields if name != "findings"}
        return cls(**fields, findings=[FindingAnswer.of(finding) for finding in view.findings])


class DocumentAnswer(BaseModel):
    """A document with its latest revision. `released`: the number in force; `state` and `words`: where it stands."""

    kind: str
    key: str
    title: str
    state: str
    words: str
    released: int | None
    open_submission: int | None
    approved_submission: int | None
    updated_at: datetime
    latest: RevisionAnswer

    @classmethod
    def of(cls, view: DocumentView) -> DocumentAnswer:
        return cls(
            kind=view.kind,
            key=view.key,
            title=view.title,
            state=view.state,
            words=view.words,
            released=view.released.number if view.released else None,
            open_submission=view.open_submission.pk if view.open_submission else None,
            approved_submission=view.approved_submission.pk if view.approved_submission else None,
            updated_at=view.updated_at,
            latest=RevisionAnswer.of(view.latest),
        )


class BillItemAnswer(BaseModel):
    kind: str
    key: str
    number: int
    sha256: str
    released_number: int | None
    changed: bool


class BillAnswer(BaseModel):
    """A document and everything it uses, and the hash that is approved."""

    hash: str
    items: list[BillItemAnswer]
    missing: list[str]

    @classmethod
    def of(cls, bill: Bill) -> BillAnswer:
        return cls(hash=bill.hash, items=[_item(item.as_dict()) for item in bill.items], missing=[str(ref) for ref in bill.missing])


class ApprovalAnswer(BaseModel):
    """Who vouched for what is in force. reach: people in the audience at that moment; drift: the share it may move."""

    bill: BillAnswer
    submission: int
    reach: int | None
    drift: float
    decided_at: datetime
    deciders: list[str]

    @classmethod
    def of(cls, approval: Approval) -> ApprovalAnswer:
        return cls(
            bill=BillAnswer.of(approval.bill),
            submission=approval.submission_id,
            reach=approval.reach,
            drift=approval.drift,
            decided_at=approval.decided_at,
            deciders=list(approval.deciders),
        )


class DecisionAnswer(BaseModel):
    by: str
    verdict: str
    comment: str
    reach: int | None
    at: datetime

    @classmethod
    def of(cls, row: Decision) -> DecisionAnswer:
        return cls(by=row.by.get_username(), verdict=row.verdict, comment=row.comment, reach=row.reach, at=row.at)


class SubmissionAnswer(BaseModel):
    """A request to vouch for one bill of materials, and what people said."""

    id: int
    kind: str
    key: str
    number: int
    state: str
    bill_hash: str
    bill: list[BillItemAnswer]
    reach: int | None
    approvals_needed: int
    note: str
    submitted_by: str
    submitted_at: datetime
    closed_at: datetime | None
    decisions: list[DecisionAnswer]

    @classmethod
    def of(cls, row: Submission) -> SubmissionAnswer:
        plain = ("state", "bill_hash", "reach", "approvals_needed", "note", "submitted_at", "closed_at")
        return cls(
            **{name: getattr(row, name) for name in plain},
            id=row.pk,
            kind=row.document.kind,
            key=row.document.key,
            number=row.revision.number,
            bill=[_item(item) for item in row.bill],
            submitted_by=row.submitted_by.get_username(),
            decisions=[DecisionAnswer.of(decision) for decision in row.decisions.all()],
        )


class ReleaseAnswer(BaseModel):
    """One move of a document's pointer."""

    kind: str
    key: str
    number: int
    action: str
    reason: str
    by: str
    at: datetime

    @classmethod
    def of(cls, row: Release) -> ReleaseAnswer:
        plain = {name: getattr(row, name) for name in ("action", "reason", "at")}
        return cls(kind=row.document.kind, key=row.document.key, number=row.revision.number, by=row.by.get_username(), **plain)


class ApiKeyAnswer(BaseModel):
    """A key without its secret."""

    id: int
    name: str
    prefix: str
    role: str
    scopes: list[str]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: ApiKey) -> ApiKeyAnswer:
        fields = {name: getattr(row, name) for name in cls.model_fields if name != "created_by"}
        return cls(**fields, created_by=row.created_by.get_username())


class NewApiKeyAnswer(ApiKeyAnswer):
    """The only answer that ever holds the key's text."""

    key: str


class AuditAnswer(BaseModel):
    """One entry of the chained audit trail: ids, never addresses."""

    n: int
    at: datetime
    user_id: int | None
    api_key_id: int | None
    via: str
    action: str
    subject: str
    data: dict[str, Any]
    previous: str
    hash: str

    @classmethod
    def of(cls, row: AuditEntry) -> AuditAnswer:
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class MeAnswer(BaseModel):
    """Whom a key acts for, and what it may do now."""

    workspace: str
    label: str
    role: str
    scopes: list[str]
    legal: bool

    @classmethod
    def of(cls, actor: Actor, workspace: str) -> MeAnswer:
        return cls(workspace=workspace, label=actor.label, role=actor.role, scopes=sorted(actor.scopes), legal=actor.legal)


class ChangeAnswer(BaseModel):
    path: str
    op: str
    before: Any
    after: Any


class KindsAnswer(BaseModel):
    items: list[KindAnswer]


class DocumentsPage(BaseModel):
    items: list[DocumentAnswer]
    next: str | None


class RevisionsPage(BaseModel):
    items: list[RevisionAnswer]
    next: str | None


class SubmissionsPage(BaseModel):
    items: list[SubmissionAnswer]
    next: str | None


class ApiKeysPage(BaseModel):
    items: list[ApiKeyAnswer]
    next: str | None


class AuditPage(BaseModel):
    items: list[AuditAnswer]
    next: str | None


class BlamedAnswer(BaseModel):
    path: str
    number: int
    author: str


class BlameAnswer(BaseModel):
    items: list[BlamedAnswer]


class ChangesAnswer(BaseModel):
    """The differences between two revisions."""

    before: int
    after: int
    changes: list[ChangeAnswer]


class FindingsAnswer(BaseModel):
    items: list[FindingAnswer]


class ReleasesAnswer(BaseModel):
    items: list[ReleaseAnswer]


class ReleasesPage(BaseModel):
    items: list[ReleaseAnswer]
    next: str | None


class ReachAnswer(BaseModel):
    reach: int | None


class UsersAnswer(BaseModel):
    """The documents that use this one."""

    items: list[dict[str, str]]


def _item(item: dict[str, Any]) -> BillItemAnswer:
    return BillItemAnswer(**{name: item[name] for name in BillItemAnswer.model_fields})
