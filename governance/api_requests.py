"""What the governance API takes: shapes only."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from governance.roles import SCOPES, Role
from governance.schema import DocumentModel, Text

NUMBERED = r"^([0-9]{1,9}|latest|released)$"  # which revision


class SaveRequest(DocumentModel):
    """A new revision. `base` is the number of the revision that was edited (or send it as `If-Match`); null for a new document."""

    body: dict[str, Any]
    base: int | None = Field(None, ge=1, lt=2**31)
    note: Annotated[str, Text(500, min=0, lines=True)] = ""


class BodyRequest(DocumentModel):
    """A body that is to be checked, not saved."""

    body: dict[str, Any]


class SubmitRequest(DocumentModel):
    """`number` must be the latest revision's, so that nobody submits what they haven't seen."""

    number: int = Field(ge=1, lt=2**31)
    note: Annotated[str, Text(500, min=0, lines=True)] = ""


class DecideRequest(DocumentModel):
    """A verdict on exactly the bill of materials that was looked at."""

    bill_hash: str = Field(min_length=64, max_length=64)
    verdict: Literal["approve", "reject"]
    comment: Annotated[str, Text(4_000, min=0, lines=True)] = ""


class PointerRequest(DocumentModel):
    """Which revision to roll back to, or to recall, and why."""

    number: int = Field(ge=1, lt=2**31)
    reason: Annotated[str, Text(500, lines=True)]


class DiffQuery(DocumentModel):
    """Two revisions of a document."""

    before: str = Field("released", pattern=NUMBERED)
    after: str = Field("latest", pattern=NUMBERED)


class BillQuery(DocumentModel):
    """Which revisions count: the latest ones, or those in force."""

    of: Literal["draft", "released"] = "draft"


class DocumentsQuery(DocumentModel):
    """A filter of the list of a kind's documents."""

    q: str = Field("", max_length=100)
    state: Literal["draft", "submitted", "changed", "released"] | None = None
    limit: str = ""
    cursor: str = ""


class SubmissionsQuery(DocumentModel):
    """A filter of the list of submissions."""

    kind: str = Field("", max_length=40)
    key: str = Field("", max_length=80)
    state: Literal["open", "approved", "rejected", "withdrawn", "released"] | None = None
    limit: str = ""
    cursor: str = ""


class AuditQuery(DocumentModel):
    """A filter of the audit trail."""

    subject: str = Field("", max_length=160)
    action: str = Field("", max_length=60)
    limit: str = ""
    cursor: str = ""


class ApiKeyRequest(DocumentModel):
    """A key acts for the person who makes it and can never do more than they may."""

    name: Annotated[str, Text(120)]
    role: Role
    scopes: list[Annotated[str, Field(json_schema_extra={"enum": list(SCOPES)})]] = Field(min_length=1, max_length=50)
    expires_at: AwareDatetime | None = None
